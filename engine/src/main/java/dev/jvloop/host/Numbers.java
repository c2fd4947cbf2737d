package dev.jvloop.host;

import dev.jvloop.host.ToJava.Kind;
import dev.jvloop.py.Py;
import java.lang.invoke.MethodType;
import java.math.BigDecimal;
import java.math.BigInteger;

/** Python's numbers as the class of numbers that a Java program names. In Python. */
final class Numbers {
    private Numbers() {}

    /** Whether numbers of any kind may be asked for as this class: a primitive type, its wrapper, or BigInteger. */
    static boolean isNumeric(Class<?> type) {
        Class<?> primitive = MethodType.methodType(type).unwrap().returnType();
        return type == BigInteger.class
                || (primitive.isPrimitive()
                        && primitive != boolean.class
                        && primitive != char.class
                        && primitive != void.class);
    }

    /** An int, a bool or a float as the class; null if its kind does not convert to it. */
    static Object castOrNull(long object, Kind kind, Class<?> type) {
        if (object == Py.TRUE || object == Py.FALSE) {
            return type == boolean.class || type == Boolean.class ? object == Py.TRUE : null;
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
            return big(value);
        }
        if (type == BigDecimal.class) {
            return new BigDecimal(big(value));
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

    private static BigInteger big(Number value) {
        return value instanceof BigInteger integer ? integer : BigInteger.valueOf(value.longValue());
    }

    private static long inRange(Number value, long least, long greatest, Class<?> type) {
        long number = value.longValue();
        if (value instanceof BigInteger || number < least || number > greatest) {
            throw new ArithmeticException(value + " is out of the range of " + type.getTypeName());
        }
        return number;
    }
}
