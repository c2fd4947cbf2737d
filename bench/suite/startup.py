"""Tell when a loop first runs: ``python -m suite.startup --loop NAME``, times on CLOCK_MONOTONIC in nanoseconds."""

import sys
import time

from suite import child, loops

begin_ns = time.monotonic_ns()


def main() -> None:
    loop = loops.new_event_loop(sys.argv[-1])

    def running() -> None:
        ready_ns, cpu_ns = time.monotonic_ns(), time.process_time_ns()
        child.say(begin_ns=begin_ns, ready_ns=ready_ns, cpu_ns=cpu_ns, rss_mib=child.resident_mib())
        loop.stop()

    loop.call_soon(running)
    loop.run_forever()
    loop.close()


if __name__ == "__main__":
    main()
