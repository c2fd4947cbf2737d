package dev.jvloop.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeferredActionsTest {
    private final DeferredActions actions = new DeferredActions();
    private final List<Integer> ran = new ArrayList<>();

    private void add(int number) {
        actions.add(() -> ran.add(number));
    }

    @Test
    void eachRunsOnceInTheOrderTheyCame() {
        List<Integer> all = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            add(i);
            all.add(i);
        }
        actions.run();
        actions.run();
        assertEquals(all, ran);
    }

    @Test
    void whatAnActionAddsRunsToo() {
        actions.add(() -> add(1));
        actions.run();
        actions.run();
        assertEquals(List.of(1), ran);
    }

    @Test
    void thoseBehindAFailureRunNextTime() {
        add(1);
        actions.add(() -> {
            throw new IllegalStateException();
        });
        add(2);
        assertThrows(IllegalStateException.class, actions::run);
        assertEquals(List.of(1), ran);
        actions.run();
        assertEquals(List.of(1, 2), ran);
    }
}
