"""A forked child that inherited the JVM gets a clear RuntimeError, never a hang; what needs no loop goes on working."""

from __future__ import annotations

from typing import Any

import pytest
from behaviour.support import run_script

ADDS = """
def child(body):
    import warnings
    warnings.simplefilter("ignore", DeprecationWarning)  # 3.12: fork() with threads
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.alarm(10)
            body()
            status = 0
        except BaseException as exc:
            print(type(exc).__name__, exc, flush=True)
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""

pytestmark = pytest.mark.only_on("jvloop")

OPERATIONS = {
    "new loop": "new_event_loop()",
    "run": "loop.run_until_complete(asyncio.sleep(0))",
    "run_forever": "loop.run_forever()",
    "call_soon": "loop.call_soon(print)",
    "call_later": "loop.call_later(1, print)",
    "call_soon_threadsafe": "loop.call_soon_threadsafe(print)",
    "add_reader": "loop.add_reader(0, print)",
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_the_child_gets_a_runtime_error(backend: Any, operation: str) -> None:
    out = run_script(
        backend,
        ADDS
        + f"""
loop = new_event_loop()
loop.run_until_complete(asyncio.sleep(0.001))

def body():
    try:
        {operation}
    except RuntimeError as exc:
        print("RuntimeError:", exc, flush=True)

print(child(body), flush=True)
print(loop.run_until_complete(asyncio.sleep(0.001, "the parent goes on")))
loop.close()
""",
    )
    lines = out.splitlines()
    assert lines[0].startswith("RuntimeError:") and "fork" in lines[0], out
    assert lines[-2:] == ["0", "the parent goes on"]


def test_closing_in_the_child_does_not_disturb_the_parent(backend: Any) -> None:
    out = run_script(
        backend,
        ADDS
        + """
import socket
loop = new_event_loop()
ours, theirs = socket.socketpair()
loop.add_reader(ours, loop.stop)

def body():
    try:
        loop.close()
    except RuntimeError as exc:
        print("RuntimeError", flush=True)

print(child(body), flush=True)
theirs.send(b"x")
loop.run_forever()
print("woken")
loop.remove_reader(ours)
loop.close()
""",
    )
    assert out.splitlines()[-2:] == ["0", "woken"]


@pytest.mark.parametrize("enabled", [True, False])
def test_the_child_collects_no_garbage_while_java_methods_are_there(backend: Any, enabled: bool) -> None:
    """The types of jvloop have a tp_traverse in Java, which waits for ever where the JVM's threads are not."""
    out = run_script(
        backend,
        ADDS
        + f"""
import ctypes, gc
from jvloop import _fork

parent = os.getpid()
too_early = []

def traverse_functions():
    get_slot = ctypes.pythonapi.PyType_GetSlot
    get_slot.restype = ctypes.c_void_p
    get_slot.argtypes = [ctypes.py_object, ctypes.c_int]
    return {{get_slot(native, _fork._TP_TRAVERSE) for native in _fork._native_types}} - {{None}}

def watch(phase, info):
    if os.getpid() != parent and traverse_functions() & javas:
        too_early.append(phase)

loop = new_event_loop()
loop.run_until_complete(asyncio.sleep(0.001))
javas = traverse_functions()
gc.callbacks.append(watch)
gc.set_threshold(1)
if not {enabled}:
    gc.disable()
print(child(lambda: print(len(javas), too_early, gc.isenabled(), flush=True)), flush=True)
print(gc.isenabled())
loop.close()
""",
    )
    assert out.splitlines() == [f"1 [] {enabled}", "0", f"{enabled}"]


def test_the_child_may_run_asyncios_own_loop(backend: Any) -> None:
    out = run_script(
        backend,
        ADDS
        + """
loop = new_event_loop()
loop.run_until_complete(asyncio.sleep(0.001))

def body():
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        print(runner.run(asyncio.sleep(0.001, "asyncio in the child")), flush=True)

print(child(body))
loop.close()
""",
    )
    assert out.splitlines() == ["asyncio in the child", "0"]


def test_a_fork_inside_a_running_loop(backend: Any) -> None:
    out = run_script(
        backend,
        ADDS
        + """
async def main():
    def body():
        try:
            new_event_loop()
        except RuntimeError as exc:
            print("RuntimeError", flush=True)
    print(child(body), flush=True)
    await asyncio.sleep(0.001)
    return "the parent goes on"

loop = new_event_loop()
print(loop.run_until_complete(main()))
loop.close()
""",
    )
    assert out.splitlines() == ["RuntimeError", "0", "the parent goes on"]


def test_a_multiprocessing_fork_pool_works(backend: Any) -> None:
    out = run_script(
        backend,
        """
        import multiprocessing, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        loop = new_event_loop()
        loop.run_until_complete(asyncio.sleep(0.001))
        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(pool.map(abs, range(-5, 0)))
            pool.close()
            pool.join()
        print(loop.run_until_complete(asyncio.sleep(0.001, "and the loop")))
        loop.close()
        """,
    )
    assert out.splitlines() == ["[5, 4, 3, 2, 1]", "and the loop"]


def test_subprocesses_are_no_forks_of_this_kind(backend: Any) -> None:
    out = run_script(
        backend,
        """
        async def main():
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print('child')", stdout=-1)
            print((await process.communicate())[0].decode().strip())

        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(main())
        """,
    )
    assert out == "child\n"
