package dev.jvloop.host;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Records, read and made by reflection. */
final class Records {
    private Records() {}

    /** The components' values by name, in their order. */
    static Map<String, Object> values(Record value) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (RecordComponent component : value.getClass().getRecordComponents()) {
            try {
                component.getAccessor().trySetAccessible();
                values.put(component.getName(), component.getAccessor().invoke(value));
            } catch (InvocationTargetException e) {
                throw thrownBy(e, component.toString());
            } catch (IllegalAccessException e) {
                throw new IllegalArgumentException(value.getClass() + " is not open to reflection", e);
            }
        }
        return values;
    }

    /** A record of this class; throws what its constructor throws. */
    static Object newRecord(Class<?> type, Object[] values) {
        Class<?>[] types = Arrays.stream(type.getRecordComponents())
                .map(RecordComponent::getType)
                .toArray(Class<?>[]::new);
        try {
            Constructor<?> constructor = type.getDeclaredConstructor(types);
            constructor.trySetAccessible();
            return constructor.newInstance(values);
        } catch (InvocationTargetException e) {
            throw thrownBy(e, type.toString());
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException(type + " is not open to reflection", e);
        }
    }

    private static RuntimeException thrownBy(InvocationTargetException e, String what) {
        return switch (e.getCause()) {
            case RuntimeException cause -> cause;
            case Error cause -> throw cause;
            default -> new IllegalArgumentException(what + " threw", e.getCause());
        };
    }
}
