package dev.jvloop.loop;

import dev.jvloop.capi.Abstract;
import dev.jvloop.capi.Dicts;
import dev.jvloop.foreign.Memory;
import dev.jvloop.py.Names;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import java.util.function.LongConsumer;

/** asyncio's C Tasks, as a loop makes them. */
final class Tasks implements ReferenceHolder {
    private static final long TYPE = Namespace.object("type.asyncio.Task");
    /** The names of {@code asyncio.tasks}: nest_asyncio exchanges {@code Task} there. */
    private static final long MODULE = Namespace.object("asyncio.tasks.__dict__");

    private final EventLoop loop;
    /** The keyword arguments of each, {@code loop} alone: made once, since Task only reads them. 0 before the first. */
    private long ownedKeywords;

    Tasks(EventLoop loop) {
        this.loop = loop;
    }

    /**
     * Makes a task as {@code BaseEventLoop.create_task(coroutine)} does.
     *
     * @return a new reference; 0 where asyncio's own way is to be taken, since there is a task factory, asyncio's Task was
     *     exchanged, or the loop does not run in this thread or has something to check
     * @throws PythonError what Task raised
     */
    long newOrNull(long coroutine) {
        if (!loop.isRunningHere()
                || loop.needsChecks()
                || Memory.getLong(loop.self() + LoopLayout.TASK_FACTORY) != Py.NONE
                || Dicts.PyDict_GetItem(MODULE, Names.TASK) != TYPE) {
            return 0;
        }
        if (ownedKeywords == 0) {
            ownedKeywords = newKeywords();
        }
        long ownedArguments = Py.newTupleOfOne(Refs.incref(coroutine));
        long ownedTask = Abstract.PyObject_Call(TYPE, ownedArguments, ownedKeywords);
        Refs.decref(ownedArguments);
        return PyErr.checked(ownedTask);
    }

    private long newKeywords() {
        long ownedDict = PyErr.checked(Dicts.PyDict_New());
        if (Dicts.PyDict_SetItem(ownedDict, Names.LOOP, loop.self()) < 0) {
            throw PythonError.SET;
        }
        return ownedDict;
    }

    /** Whether these keyword arguments of {@code create_task} say nothing: None for the name or the context. */
    static boolean areDefaults(long values, long names) {
        for (long i = 0; names != 0 && i < Py.size(names); i++) {
            long name = Py.tupleItem(names, i);
            if (Memory.getLong(values + 8 * i) != Py.NONE || name != Names.TASK_NAME && name != Names.CONTEXT) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void visitReferences(LongConsumer visit) {
        if (ownedKeywords != 0) {
            visit.accept(ownedKeywords);
        }
    }

    @Override
    public void releaseReferences() {
        long owned = ownedKeywords;
        ownedKeywords = 0;
        Refs.decrefOrNull(owned);
    }
}
