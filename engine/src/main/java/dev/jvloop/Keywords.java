package dev.jvloop;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Keyword arguments of a call, in order; they are given as its last argument:
 * {@code python.call("json", "dumps", value, Keywords.of("indent", 2))}.
 *
 * <p>Immutable.
 */
public final class Keywords {
    private final Map<String, Object> values;

    private Keywords(Map<String, Object> values) {
        this.values = Collections.unmodifiableMap(values);
    }

    /** One argument. The value is converted as {@link Python} says. */
    public static Keywords of(String name, Object valueOrNull) {
        return new Keywords(new LinkedHashMap<>()).and(name, valueOrNull);
    }

    /** The entries of a map, in its order. */
    public static Keywords of(Map<String, ?> values) {
        return new Keywords(new LinkedHashMap<>(values));
    }

    /** These and one more; a name that is there already gets another value. */
    public Keywords and(String name, Object valueOrNull) {
        Map<String, Object> more = new LinkedHashMap<>(values);
        more.put(name, valueOrNull);
        return new Keywords(more);
    }

    /** The arguments by name. */
    public Map<String, Object> asMap() {
        return values;
    }

    @Override
    public String toString() {
        return values.toString();
    }
}
