package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.jvloop.PyException;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.DayOfWeek;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Values on their way from Java to Python and back. */
class HostedValuesTest {
    private static Python python;

    @BeforeAll
    static void start() {
        python = Pythons.startedOrAbort();
        python.exec("import datetime as dt");
    }

    @AfterAll
    static void end() {
        if (python != null) {
            python.close();
        }
    }

    private static Object natural(String expression) {
        return python.eval(expression, Object.class);
    }

    private static String reprOf(Object value) {
        try (PyObject object = python.toPython(value)) {
            return object.repr();
        }
    }

    private static Object thereAndBack(Object value) {
        try (PyObject object = python.toPython(value)) {
            return object.as(Object.class);
        }
    }

    private static void assertIsNot(Class<?> type, String expression) {
        ClassCastException e = assertThrows(ClassCastException.class, () -> python.eval(expression, type));
        assertTrue(e.getMessage().startsWith("a Python "), e::getMessage);
    }

    @Test
    void plainValuesComeAsTheyAre() {
        assertNull(natural("None"));
        assertEquals(true, natural("True"));
        assertEquals(-1L, natural("-1"));
        assertEquals(2.5, natural("2.5"));
        assertEquals("grün \ud83d\ude00 \0 .", natural("'grün \\U0001f600 \\0 .'"));
        assertArrayEquals(new byte[] {0, -1}, python.eval("b'\\0\\xff'", byte[].class));
        assertArrayEquals(new byte[] {7}, python.eval("memoryview(bytearray([7]))", byte[].class));
        assertInstanceOf(PyObject.class, natural("1j"));
    }

    @Test
    void plainValuesGoAsTheyAre() {
        assertEquals("None", reprOf(null));
        assertEquals("False", reprOf(false));
        assertEquals("[1, 2, 3, 4, 'c']", reprOf(List.of(1, 2L, (short) 3, (byte) 4, 'c')));
        assertEquals("(0.5, 1.5)", reprOf(new Object[] {0.5f, 1.5}));
        assertEquals("[1, 2]", reprOf(new int[] {1, 2}));
        assertEquals("b'\\x00\\xff'", reprOf(new byte[] {0, -1}));
        assertEquals("'MONDAY'", reprOf(DayOfWeek.MONDAY));
        assertEquals("{'a': [None], 2: {3}}", reprOf(inOrder("a", Arrays.asList((Object) null), 2, Set.of(3))));
    }

    private static Map<Object, Object> inOrder(Object... keysAndValues) {
        Map<Object, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return map;
    }

    @Test
    void integersHaveNoLimit() {
        assertEquals(Long.MIN_VALUE, natural("-2**63"));
        for (int bits : new int[] {63, 64, 65, 127, 128, 1000}) {
            BigInteger value = BigInteger.ONE.shiftLeft(bits);
            assertEquals(value, natural("2**" + bits));
            assertEquals(value, thereAndBack(value));
            assertEquals(
                    value.negate().subtract(BigInteger.ONE),
                    thereAndBack(value.negate().subtract(BigInteger.ONE)));
        }
        assertEquals(BigInteger.TWO, python.eval("2", BigInteger.class));
    }

    @Test
    void numbersAreNarrowedWhereTheyFit() {
        assertEquals(127, python.eval("127", byte.class).intValue());
        assertEquals((short) -5, python.eval("-5", Short.class));
        assertEquals(3.0, python.eval("3", double.class));
        assertEquals(0.5f, python.eval("0.5", Float.class));
        assertEquals(true, python.eval("1 == 1", boolean.class));
        assertThrows(ArithmeticException.class, () -> python.eval("128", byte.class));
        assertThrows(ArithmeticException.class, () -> python.eval("2**31", int.class));
        assertThrows(ArithmeticException.class, () -> python.eval("2**63", long.class));
        assertIsNot(int.class, "1.0");
        assertIsNot(int.class, "True");
        assertIsNot(boolean.class, "1");
        assertIsNot(int.class, "None");
        assertIsNot(String.class, "b'bytes'");
        assertNull(python.eval("None", Integer.class));
    }

    @Test
    void loneSurrogatesSurvive() {
        String lone = "a\ud800b";
        assertEquals(lone, natural("'a\\ud800b'"));
        assertEquals(lone, thereAndBack(lone));
    }

    @Test
    void containersComeWithTheirContents() {
        assertEquals(List.of(1L, List.of("x")), natural("[1, ['x']]"));
        assertEquals(Map.of("k", Set.of(1L)), natural("{'k': {1}}"));
        assertEquals(Set.of(1L, 2L), natural("frozenset((1, 2))"));
        assertArrayEquals(new Object[] {1L, "a"}, (Object[]) natural("(1, 'a')"));
        assertEquals(List.of(1L, 2L), python.eval("(1, 2)", List.class));
        assertArrayEquals(new int[] {1, 2}, python.eval("[1, 2]", int[].class));
        assertArrayEquals(new String[][] {{"a"}, {}}, python.eval("[('a',), []]", String[][].class));
        assertEquals(Map.of("a", 1L), natural("__import__('collections').OrderedDict(a=1)"));
    }

    @Test
    void whatContainsItselfIsAnError() {
        List<Object> round = new ArrayList<>();
        round.add(round);
        assertThrows(IllegalArgumentException.class, () -> python.toPython(round));
        python.exec("round = []; round.append(round)");
        assertThrows(IllegalArgumentException.class, () -> natural("round"));
        assertThrows(IllegalArgumentException.class, () -> python.toPython(new Object()));
        assertThrows(PyException.class, () -> python.toPython(Set.of(List.of(1))));
    }

    @Test
    void timesKeepTheirOffsets() {
        LocalDateTime local = LocalDateTime.of(2024, 2, 29, 23, 59, 58, 123_456_000);
        for (Object value : List.of(
                local,
                local.toLocalDate(),
                local.toLocalTime(),
                OffsetTime.of(local.toLocalTime(), ZoneOffset.ofHours(-3)),
                OffsetDateTime.of(local, ZoneOffset.ofHoursMinutes(5, 30)),
                OffsetDateTime.of(local, ZoneOffset.UTC),
                ZoneOffset.ofHoursMinutesSeconds(-1, -2, -3),
                ZoneOffset.UTC,
                Duration.ofSeconds(-3, 5000),
                Duration.ofDays(400))) {
            assertEquals(value, thereAndBack(value));
        }
        assertEquals("datetime.date(2024, 2, 29)", reprOf(LocalDate.of(2024, 2, 29)));
        assertEquals("datetime.time(1, 2)", reprOf(LocalTime.of(1, 2)));
        assertEquals("datetime.timedelta(days=-1, seconds=86397)", reprOf(Duration.ofSeconds(-3)));
        assertEquals(Duration.ofNanos(1000), thereAndBack(Duration.ofNanos(1999)), "Python has microseconds");
        assertThrows(PyException.class, () -> python.toPython(LocalDate.of(10_000, 1, 1)));
        assertThrows(PyException.class, () -> python.toPython(Duration.ofSeconds(Long.MAX_VALUE)));
    }

    @Test
    void momentsAreMomentsAndLocalTimesAreNot() {
        Instant instant = Instant.ofEpochSecond(1_700_000_000, 5000);
        assertEquals(OffsetDateTime.ofInstant(instant, ZoneOffset.UTC), thereAndBack(instant));
        try (PyObject moment = python.toPython(instant)) {
            assertEquals(instant, moment.as(Instant.class));
            assertEquals(instant, moment.as(ZonedDateTime.class).toInstant());
        }
        assertIsNot(Instant.class, "dt.datetime(2024, 1, 1)");
        assertIsNot(LocalDateTime.class, "dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)");
        python.exec("""
            class Half(dt.tzinfo):
                def utcoffset(self, when): return dt.timedelta(microseconds=500_000)
            class NotATime(dt.datetime):
                def __eq__(self, other): return False
                def __ne__(self, other): return True
            """);
        assertInstanceOf(PyObject.class, natural("dt.datetime(2024, 1, 1, tzinfo=Half())"));
        assertInstanceOf(PyObject.class, natural("dt.timezone(dt.timedelta(hours=19))"));
        assertInstanceOf(PyObject.class, natural("NotATime(2024, 1, 1)"));
        assertInstanceOf(PyObject.class, natural("dt.datetime"));
    }

    @Test
    void bothHoursOfAClockSetBackAreTold() {
        boolean hasZones =
                python.eval("'Europe/Berlin' in __import__('zoneinfo').available_timezones()", boolean.class);
        assumeTrue(hasZones, "this machine has no time zone database");
        ZonedDateTime first = ZonedDateTime.of(2024, 10, 27, 2, 30, 0, 0, ZoneId.of("Europe/Berlin"));
        ZonedDateTime second = first.withLaterOffsetAtOverlap();
        assertEquals(first, thereAndBack(first));
        assertEquals(second, thereAndBack(second));
        assertEquals(first.plusDays(30), thereAndBack(first.plusDays(30)));
        assertEquals(first.getZone(), thereAndBack(first.getZone()));
        // A zone that has one offset is that offset.
        ZonedDateTime fixed = first.withZoneSameInstant(ZoneId.of("UTC+02:00"));
        assertEquals(fixed.toOffsetDateTime(), thereAndBack(fixed));
        // An hour that the clock leaves out is the moment that Python takes it for.
        python.exec("import zoneinfo\nberlin = zoneinfo.ZoneInfo('Europe/Berlin')");
        ZonedDateTime skipped = (ZonedDateTime) natural("dt.datetime(2024, 3, 31, 2, 30, tzinfo=berlin)");
        assertEquals(Instant.parse("2024-03-31T01:30:00Z"), skipped.toInstant());
        assertInstanceOf(PyObject.class, natural("dt.time(1, 2, tzinfo=berlin)"));
        // One that Java has not heard of: its offset.
        python.exec("class Odd(zoneinfo.ZoneInfo): key = 'Odd/Zone'\nodd = Odd('Europe/Berlin')");
        assertEquals(OffsetDateTime.parse("2024-07-01T00:00:00+02:00"), natural("dt.datetime(2024, 7, 1, tzinfo=odd)"));
    }

    @Test
    void otherValuesOfTheStandardLibraryHaveTheirCounterparts() {
        for (Object value : List.of(
                new BigDecimal("-12.340"),
                Path.of("/tmp/a b"),
                UUID.fromString("00000000-0000-4000-8000-00000000002a"))) {
            assertEquals(value, thereAndBack(value));
        }
        assertEquals("Decimal('1E+10')", reprOf(new BigDecimal("1E+10")));
        python.exec("import decimal, pathlib");
        assertInstanceOf(PyObject.class, natural("decimal.Decimal('NaN')"));
        assertInstanceOf(PyObject.class, natural("decimal.Decimal('1e-3000000000')"));
        assertEquals(new BigDecimal(5), python.eval("5", BigDecimal.class));
        assertEquals(0.5, python.eval("decimal.Decimal('0.5')", double.class));
        assertInstanceOf(PyObject.class, natural("pathlib.PureWindowsPath('c:/x')"));
        assertInstanceOf(PyObject.class, natural("pathlib.Path('a\\0b')"));
        assertEquals(Path.of("a"), python.eval("pathlib.PurePosixPath('a')", Path.class));
    }

    @Test
    void numbersOfOtherKindsAreNumbersWhereOneIsAskedFor() {
        python.exec("""
            class Whole:
                def __index__(self): return 300
            class Real:
                def __float__(self): return 0.5
            class Broken:
                def __index__(self): raise ZeroDivisionError
            """);
        assertEquals(300, python.eval("Whole()", int.class));
        assertEquals(BigInteger.valueOf(300), python.eval("Whole()", BigInteger.class));
        assertEquals(300.0, python.eval("Whole()", double.class));
        assertEquals(0.5f, python.eval("Real()", Float.class));
        assertInstanceOf(PyObject.class, natural("Whole()"));
        assertIsNot(int.class, "Real()");
        assertIsNot(int.class, "object()");
        assertThrows(ArithmeticException.class, () -> python.eval("Whole()", byte.class));
        assertThrows(PyException.class, () -> python.eval("Broken()", int.class));
    }

    /** A record as programs have them. */
    record Point(int x, double y) {}

    /** One with everything. */
    record Shape(
            String name, List<Point> points, Map<String, Long> sizes, Optional<DayOfWeek> day, Shape innerOrNull) {}

    @Test
    void recordsAreMadeOfWhatHasTheirFields() {
        assertEquals(new Point(1, 2), python.eval("{'x': 1, 'y': 2, 'z': 3}", Point.class));
        python.exec("""
            from collections import namedtuple
            from dataclasses import dataclass
            P = namedtuple("P", "x y")
            @dataclass
            class D:
                x: int
                y: float
            @dataclass
            class S:
                name: str
                points: tuple
                sizes: dict
                day: object
                innerOrNull: object
            """);
        assertEquals(new Point(1, 2), python.eval("P(1, 2)", Point.class));
        assertEquals(new Point(1, 2), python.eval("D(1, 2.0)", Point.class));
        Shape inner = new Shape("in", List.of(), Map.of(), Optional.empty(), null);
        Shape shape = new Shape("out", List.of(new Point(3, 4)), Map.of("a", 5L), Optional.of(DayOfWeek.FRIDAY), inner);
        assertEquals(
                shape,
                python.eval("S('out', (P(3, 4),), {'a': 5}, 'FRIDAY', S('in', [], {}, None, None))", Shape.class));
        assertIsNot(Point.class, "(1, 2)");
        assertIsNot(Point.class, "D");
        ClassCastException e = assertThrows(ClassCastException.class, () -> python.eval("{'x': 1}", Point.class));
        assertEquals("a Python dict without y is no " + Point.class.getTypeName(), e.getMessage());
        assertThrows(ClassCastException.class, () -> python.eval("{'x': None, 'y': 1}", Point.class));
        assertThrows(ArithmeticException.class, () -> python.eval("{'x': 2**40, 'y': 1}", Point.class));
        assertEquals(new Counted<>("a", Optional.empty()), python.eval("{'value': 'a'}", Counted.class));
        assertEquals(
                "negative",
                assertThrows(IllegalStateException.class, () -> python.eval("{'value': 1, 'count': -1}", Counted.class))
                        .getMessage());
    }

    /** One that says no, and whose parts have types of their own. */
    record Counted<T extends Comparable<T>>(T value, Optional<? extends Number> count) {
        Counted {
            if (count.isPresent() && count.get().longValue() < 0) {
                throw new IllegalStateException("negative");
            }
        }
    }

    @Test
    void recordsGoAsDicts() {
        assertEquals("{'x': 1, 'y': 2.0}", reprOf(new Point(1, 2)));
        Shape inner = new Shape("in", List.of(), Map.of(), Optional.of(DayOfWeek.SUNDAY), null);
        Shape shape = new Shape("out", List.of(new Point(3, 4)), Map.of("a", 5L), Optional.empty(), inner);
        try (PyObject dict = python.toPython(shape)) {
            assertEquals(shape, dict.as(Shape.class));
        }
    }

    @Test
    void recordsThatContainThemselvesAreAnError() {
        python.exec(
                "endless = {'name': 'x', 'points': [], 'sizes': {}, 'day': None}; endless['innerOrNull'] = endless");
        assertThrows(IllegalArgumentException.class, () -> python.eval("endless", Shape.class));
    }

    @Test
    void enumsGoByTheirNames() {
        assertEquals(DayOfWeek.TUESDAY, python.eval("'TUESDAY'", DayOfWeek.class));
        python.exec("import enum\nclass Day(enum.IntEnum):\n    SUNDAY = 7\n    FUNDAY = 8");
        assertEquals(DayOfWeek.SUNDAY, python.eval("Day.SUNDAY", DayOfWeek.class));
        assertEquals(7L, natural("Day.SUNDAY"));
        assertIsNot(DayOfWeek.class, "'Tuesday'");
        assertIsNot(DayOfWeek.class, "Day.FUNDAY");
        assertIsNot(DayOfWeek.class, "7");
    }

    @Test
    void objectsGoAsThemselves() {
        try (PyObject list = python.eval("[1]");
                PyObject holder = python.toPython(new HashMap<>(Map.of("list", list)))) {
            holder.item("list").callMethod("append", 2).close();
            assertEquals(2, list.length());
            assertEquals("[1, 2]", list.as(PyObject.class).str());
        }
    }
}
