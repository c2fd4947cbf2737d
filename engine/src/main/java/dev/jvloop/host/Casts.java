package dev.jvloop.host;

import dev.jvloop.PyObject;
import dev.jvloop.capi.Buffers;
import dev.jvloop.host.ToJava.Kind;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Py;
import java.lang.reflect.Array;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

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
        return cast(object, type, 0);
    }

    private Object cast(long object, Class<?> type, int depth) {
        if (type == Object.class) {
            return toJava.natural(object);
        }
        if (type == PyObject.class) {
            return toJava.handle(object);
        }
        if (object == Py.NONE && !type.isPrimitive()) {
            return type == Optional.class ? Optional.empty() : null;
        }
        Object specialOrNull = specialOrNull(object, type, ToPython.deeper(depth));
        if (specialOrNull != null) {
            return specialOrNull;
        }
        Object natural = toJava.natural(object);
        if (type.isInstance(natural)) {
            return natural;
        }
        if (natural instanceof PyObject handle) {
            handle.close();
        }
        throw new ClassCastException("a Python " + Failures.typeName(object) + " is no " + type.getTypeName());
    }

    /** Where the class asks for something else than the natural value; null where it does not. */
    private Object specialOrNull(long object, Class<?> type, int depth) {
        Kind kind = Kind.of(object);
        if (kind == Kind.INT || kind == Kind.FLOAT) {
            Object numberOrNull = Numbers.castOrNull(object, kind, type);
            if (numberOrNull != null) {
                return numberOrNull;
            }
        }
        if (type.isEnum()) {
            return enumConstantOrNull(object, type);
        }
        if (type.isRecord()) {
            return recordOrNull(object, type, depth);
        }
        if (type == Optional.class) {
            return Optional.of(toJava.natural(object));
        }
        return switch (kind) {
            case STR -> characterOrNull(object, type);
            case LIST, TUPLE -> sequenceOrNull(object, kind, type, depth);
            case OTHER -> otherOrNull(object, type);
            default -> null;
        };
    }

    private static Object characterOrNull(long object, Class<?> type) {
        if (type != char.class && type != Character.class) {
            return null;
        }
        String text = Texts.of(object);
        return text.length() == 1 ? text.charAt(0) : null;
    }

    private Object sequenceOrNull(long object, Kind kind, Class<?> type, int depth) {
        if (type.isArray()) {
            return array(object, type.getComponentType(), depth);
        }
        return kind == Kind.TUPLE && type.isAssignableFrom(List.class) ? toJava.list(object, depth) : null;
    }

    private Object otherOrNull(long object, Class<?> type) {
        if (type == byte[].class && Buffers.PyObject_CheckBuffer(object) != 0) {
            return ToJava.newBytesOf(object);
        }
        if (type == Instant.class || type == OffsetDateTime.class || type == ZonedDateTime.class) {
            return momentOrNull(object, type);
        }
        return Numbers.isNumeric(type) ? ownNumberOrNull(object, type) : null;
    }

    /** A number that is not one of Python's own, as the class of them that is asked for. */
    private static Object ownNumberOrNull(long object, Class<?> type) {
        long ownedNumber = Calls.newResult(HostNames.NUMBER, object);
        return Owned.releasing(
                ownedNumber,
                () -> ownedNumber == Py.NONE ? null : Numbers.castOrNull(ownedNumber, Kind.of(ownedNumber), type));
    }

    /** A moment in time as the class of them that is asked for. */
    private Object momentOrNull(long object, Class<?> type) {
        ZonedDateTime momentOrNull = switch (RareValues.valueOrNull(object, toJava)) {
            case OffsetDateTime value -> value.toZonedDateTime();
            case ZonedDateTime value -> value;
            case null, default -> null;
        };
        if (momentOrNull == null || type == ZonedDateTime.class) {
            return momentOrNull;
        }
        return type == Instant.class ? momentOrNull.toInstant() : momentOrNull.toOffsetDateTime();
    }

    private static Object enumConstantOrNull(long object, Class<?> type) {
        long ownedName = Calls.newResult(HostNames.ENUM_NAME, object);
        String nameOrNull = Owned.releasing(ownedName, () -> ownedName == Py.NONE ? null : Texts.of(ownedName));
        for (Object constant : type.getEnumConstants()) {
            if (((Enum<?>) constant).name().equals(nameOrNull)) {
                return constant;
            }
        }
        return null;
    }

    // ---- what has parts

    private Object recordOrNull(long object, Class<?> type, int depth) {
        RecordComponent[] components = type.getRecordComponents();
        Object[] names = Arrays.stream(components).map(RecordComponent::getName).toArray();
        long ownedFields = Calls.newResult(HostNames.FIELDS, object, new Calls.Owned(ToPython.newObject(names)));
        return Owned.releasing(
                ownedFields, () -> ownedFields == Py.NONE ? null : record(object, ownedFields, type, depth));
    }

    private Object record(long object, long fields, Class<?> type, int depth) {
        Map<String, Long> objects = new HashMap<>();
        ToJava.forEachEntry(fields, (name, value) -> objects.put(Texts.of(name), value));
        RecordComponent[] components = type.getRecordComponents();
        Object[] values = new Object[components.length];
        for (int i = 0; i < values.length; i++) {
            RecordComponent component = components[i];
            Long value = objects.get(component.getName());
            if (value == null && component.getType() != Optional.class) {
                throw new ClassCastException("a Python " + Failures.typeName(object) + " without " + component.getName()
                        + " is no " + type.getTypeName());
            }
            values[i] = value == null ? Optional.empty() : castGeneric(value, component.getGenericType(), depth);
        }
        return Records.newRecord(type, values);
    }

    /** {@link #cast} to a type that may say what its parts are. */
    private Object castGeneric(long object, Type type, int depth) {
        return switch (type) {
            case Class<?> named -> cast(object, named, depth);
            case ParameterizedType parametrised -> castParametrised(object, parametrised, ToPython.deeper(depth));
            case WildcardType wildcard -> castGeneric(object, wildcard.getUpperBounds()[0], depth);
            case TypeVariable<?> variable -> castGeneric(object, variable.getBounds()[0], depth);
            default ->
                throw new IllegalArgumentException(type + " is not supported: arrays have no parametrised items");
        };
    }

    private Object castParametrised(long object, ParameterizedType type, int depth) {
        Class<?> raw = (Class<?>) type.getRawType();
        Type[] parts = type.getActualTypeArguments();
        if (raw == Optional.class) {
            return Optional.ofNullable(castGeneric(object, parts[0], depth));
        }
        Kind kind = Kind.of(object);
        if (kind == Kind.DICT && raw.isAssignableFrom(Map.class)) {
            return entries(object, parts[0], parts[1], depth);
        }
        if (kind == Kind.SET && raw.isAssignableFrom(Set.class)) {
            return new LinkedHashSet<>(elements(object, parts[0], depth));
        }
        if ((kind == Kind.LIST || kind == Kind.TUPLE) && raw.isAssignableFrom(List.class)) {
            return elements(object, parts[0], depth);
        }
        return cast(object, raw, depth);
    }

    private Object array(long object, Class<?> component, int depth) {
        List<Object> values = elements(object, component, depth);
        Object array = Array.newInstance(component, values.size());
        for (int i = 0; i < values.size(); i++) {
            Array.set(array, i, values.get(i));
        }
        return array;
    }

    private List<Object> elements(long object, Type type, int depth) {
        List<Object> values = new ArrayList<>();
        ToJava.forEach(object, item -> values.add(castGeneric(item, type, depth)));
        return values;
    }

    private Map<Object, Object> entries(long object, Type keyType, Type valueType, int depth) {
        Map<Object, Object> values = new LinkedHashMap<>();
        ToJava.forEachEntry(
                object,
                (key, value) -> values.put(castGeneric(key, keyType, depth), castGeneric(value, valueType, depth)));
        return values;
    }
}
