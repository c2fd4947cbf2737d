package dev.jvloop.host;

import dev.jvloop.PyObject;
import dev.jvloop.host.ToJava.Kind;
import dev.jvloop.py.Py;
import java.lang.reflect.Array;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Python objects as values of a Java class that the program names. In Python. */
final class Casts {
    private final ToJava toJava;

    Casts(ToJava toJava) {
        this.toJava = toJava;
    }

    /**
     * The object as a value of the class, or of its wrapper if it is primitive.
     *
     * @throws ClassCastException if its kind does not convert to it
     * @throws ArithmeticException if it is a number out of its range
     */
    Object cast(long object, Class<?> type) {
        if (type == PyObject.class) {
            return toJava.handle(object);
        }
        if (object == Py.NONE && !type.isPrimitive()) {
            return null;
        }
        Object valueOrNull = special(object, type);
        if (valueOrNull == null) {
            Object natural = toJava.natural(object);
            if (natural instanceof PyObject handle && !type.isInstance(natural)) {
                handle.close();
            }
            valueOrNull = type.isInstance(natural) ? natural : null;
        }
        if (valueOrNull == null) {
            throw new ClassCastException("a Python " + Failures.typeName(object) + " is no " + type.getTypeName());
        }
        return valueOrNull;
    }

    /** Where the class asks for something else than the natural value; null where it does not. */
    private Object special(long object, Class<?> type) {
        Kind kind = Kind.of(object);
        if (kind == Kind.INT || kind == Kind.FLOAT) {
            return numberOrNull(object, kind, type);
        }
        if (type.isEnum()) {
            return enumConstant(object, kind, type);
        }
        if (type == byte[].class) {
            return kind == Kind.BYTES || (kind == Kind.OTHER && Py.isBytesLike(object))
                    ? ToJava.newBytesOf(object)
                    : null;
        }
        if (type.isArray()) {
            return kind == Kind.LIST || kind == Kind.TUPLE ? array(object, type.getComponentType()) : null;
        }
        if (type == List.class || type == Collection.class || type == Iterable.class) {
            return kind == Kind.TUPLE ? elements(object) : null;
        }
        if (type == char.class || type == Character.class) {
            String text = kind == Kind.STR ? Texts.of(object) : "";
            return text.length() == 1 ? text.charAt(0) : null;
        }
        return object == Py.TRUE || object == Py.FALSE ? booleanOrNull(object, type) : null;
    }

    private static Object booleanOrNull(long object, Class<?> type) {
        return type == boolean.class || type == Boolean.class ? object == Py.TRUE : null;
    }

    private static Object numberOrNull(long object, Kind kind, Class<?> type) {
        if (object == Py.TRUE || object == Py.FALSE) {
            return booleanOrNull(object, type);
        }
        if (type == double.class || type == Double.class) {
            return Py.toDouble(object);
        }
        if (type == float.class || type == Float.class) {
            return (float) Py.toDouble(object);
        }
        return kind == Kind.INT ? integerOrNull(ToJava.integer(object), type) : null;
    }

    private static Object integerOrNull(Number value, Class<?> type) {
        if (type == BigInteger.class) {
            return value instanceof BigInteger ? value : BigInteger.valueOf(value.longValue());
        }
        if (type == long.class || type == Long.class) {
            return inRange(value, Long.MIN_VALUE, Long.MAX_VALUE, type);
        }
        if (type == int.class || type == Integer.class) {
            return (int) inRange(value, Integer.MIN_VALUE, Integer.MAX_VALUE, type);
        }
        if (type == short.class || type == Short.class) {
            return (short) inRange(value, Short.MIN_VALUE, Short.MAX_VALUE, type);
        }
        if (type == byte.class || type == Byte.class) {
            return (byte) inRange(value, Byte.MIN_VALUE, Byte.MAX_VALUE, type);
        }
        return null;
    }

    private static long inRange(Number value, long least, long greatest, Class<?> type) {
        long number = value.longValue();
        if (value instanceof BigInteger || number < least || number > greatest) {
            throw new ArithmeticException(value + " is out of the range of " + type.getTypeName());
        }
        return number;
    }

    private static Object enumConstant(long object, Kind kind, Class<?> type) {
        String name = kind == Kind.STR ? Texts.of(object) : null;
        for (Object constant : type.getEnumConstants()) {
            if (((Enum<?>) constant).name().equals(name)) {
                return constant;
            }
        }
        return null;
    }

    private Object array(long object, Class<?> component) {
        List<Object> values = new ArrayList<>();
        ToJava.forEach(object, item -> values.add(cast(item, component)));
        Object array = Array.newInstance(component, values.size());
        for (int i = 0; i < values.size(); i++) {
            Array.set(array, i, values.get(i));
        }
        return array;
    }

    private List<Object> elements(long object) {
        List<Object> values = new ArrayList<>();
        ToJava.forEach(object, item -> values.add(toJava.natural(item)));
        return values;
    }
}
