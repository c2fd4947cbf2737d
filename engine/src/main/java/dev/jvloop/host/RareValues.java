package dev.jvloop.host;

import dev.jvloop.py.Calls;
import java.math.BigDecimal;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.UUID;

/**
 * The values of Python's standard library and Java's that have counterparts but no C functions: _rare_values.py makes
 * them from plain values and takes them apart into such. In Python.
 */
final class RareValues {
    private RareValues() {}

    /**
     * A new reference to the Python object for a value. Python's times have microseconds: what is finer is cut off.
     *
     * @throws IllegalArgumentException if there is none
     */
    static long newObject(Object value) {
        return switch (value) {
            case LocalDateTime v -> newDateTime(v, null, null);
            case OffsetDateTime v -> newDateTime(v.toLocalDateTime(), null, v.getOffset());
            case ZonedDateTime v -> newDateTime(v.toLocalDateTime(), name(v.getZone()), v.getOffset());
            case Instant v -> newDateTime(LocalDateTime.ofInstant(v, ZoneOffset.UTC), null, ZoneOffset.UTC);
            case LocalDate v -> made("date", v.getYear(), v.getMonthValue(), v.getDayOfMonth());
            case LocalTime v -> newTime(v, null);
            case OffsetTime v -> newTime(v.toLocalTime(), v.getOffset());
            case Duration v -> made("timedelta", 0, v.getSeconds(), micros(v.getNano()));
            case ZoneId v ->
                made("zone", name(v), v.normalized() instanceof ZoneOffset offset ? seconds(offset) : null);
            case BigDecimal v -> made("decimal", v.toString());
            case Path v when v.getFileSystem() == FileSystems.getDefault() -> made("path", v.toString());
            case UUID v -> made("uuid", v.toString());
            case Object v when JpypeObjects.ARE_THERE -> JpypeObjects.newObject(v);
            default ->
                throw new IllegalArgumentException("a " + value.getClass().getName()
                        + " has no counterpart in Python; python.wrap(object) passes it as it is");
        };
    }

    private static long newDateTime(LocalDateTime v, String zoneNameOrNull, ZoneOffset offsetOrNull) {
        return made(
                "datetime",
                v.getYear(),
                v.getMonthValue(),
                v.getDayOfMonth(),
                v.getHour(),
                v.getMinute(),
                v.getSecond(),
                micros(v.getNano()),
                zoneNameOrNull,
                seconds(offsetOrNull));
    }

    private static long newTime(LocalTime v, ZoneOffset offsetOrNull) {
        return made("time", v.getHour(), v.getMinute(), v.getSecond(), micros(v.getNano()), seconds(offsetOrNull));
    }

    private static int micros(int nanos) {
        return nanos / 1000;
    }

    private static Integer seconds(ZoneOffset offsetOrNull) {
        return offsetOrNull == null ? null : offsetOrNull.getTotalSeconds();
    }

    /** The zone's name in the time zone database; null where all there is to it is an offset. */
    private static String name(ZoneId zone) {
        return zone.normalized() instanceof ZoneOffset ? null : zone.getId();
    }

    private static long made(String kind, Object... plainValues) {
        long ownedKind = ToPython.newObject(kind);
        long ownedValues = ToPython.newObject(plainValues);
        return Calls.newResult(HostNames.MAKE, new Calls.Owned(ownedKind), new Calls.Owned(ownedValues));
    }

    /** The Java value for an object of one of these classes; null if it is of none, or has no counterpart. */
    static Object valueOrNull(long object, ToJava toJava) {
        long ownedParts = Calls.newResult(HostNames.TAKE_APART, object);
        Object[] partsOrNull = Owned.releasing(ownedParts, () -> (Object[]) toJava.natural(ownedParts));
        if (partsOrNull == null) {
            return null;
        }
        try {
            return value(partsOrNull);
        } catch (DateTimeException | IllegalArgumentException e) {
            // A zone that Java has not heard of, an exponent or a file name that it cannot have.
            return null;
        }
    }

    /** {@code parts}: the kind, then plain values, as _rare_values.py makes them. */
    private static Object value(Object[] parts) {
        return switch ((String) parts[0]) {
            case "datetime" -> dateTime(LocalDateTime.of(date(parts, 1), time(parts, 4)), parts[8], parts[9]);
            case "date" -> date(parts, 1);
            case "time" -> parts[5] == null ? time(parts, 1) : OffsetTime.of(time(parts, 1), offset(parts[5]));
            case "timedelta" -> Duration.ofSeconds((Long) parts[1], 1000L * number(parts[2]));
            case "zone" -> parts[1] == null ? offset(parts[2]) : ZoneId.of((String) parts[1]);
            case "decimal" -> new BigDecimal((String) parts[1]);
            case "path" -> Path.of((String) parts[1]);
            case "uuid" -> UUID.fromString((String) parts[1]);
            default -> throw new IllegalStateException("the Python package and the engine do not match: " + parts[0]);
        };
    }

    private static Object dateTime(LocalDateTime local, Object zoneNameOrNull, Object secondsOrNull) {
        if (secondsOrNull == null) {
            return local;
        }
        ZoneOffset offset = offset(secondsOrNull);
        if (zoneNameOrNull != null) {
            try {
                return ZonedDateTime.ofInstant(local, offset, ZoneId.of((String) zoneNameOrNull));
            } catch (DateTimeException e) {
                // Java has not heard of the zone: the moment it is.
            }
        }
        return OffsetDateTime.of(local, offset);
    }

    private static ZoneOffset offset(Object seconds) {
        return ZoneOffset.ofTotalSeconds(number(seconds));
    }

    private static LocalDate date(Object[] parts, int first) {
        return LocalDate.of(number(parts[first]), number(parts[first + 1]), number(parts[first + 2]));
    }

    private static LocalTime time(Object[] parts, int first) {
        return LocalTime.of(
                number(parts[first]),
                number(parts[first + 1]),
                number(parts[first + 2]),
                1000 * number(parts[first + 3]));
    }

    private static int number(Object value) {
        return Math.toIntExact((Long) value);
    }
}
