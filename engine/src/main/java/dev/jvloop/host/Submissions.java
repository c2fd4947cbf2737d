package dev.jvloop.host;

/** The submissions of a loop whose tasks run, linked through themselves. The loop's thread only, but for {@link #count}. */
final class Submissions {
    private Submission<?> first;
    private int count;

    void add(Submission<?> submission) {
        submission.next = first;
        if (first != null) {
            first.previous = submission;
        }
        first = submission;
        count++;
    }

    void remove(Submission<?> submission) {
        if (submission.previous == null) {
            first = submission.next;
        } else {
            submission.previous.next = submission.next;
        }
        if (submission.next != null) {
            submission.next.previous = submission.previous;
        }
        submission.previous = null;
        submission.next = null;
        count--;
    }

    /** How many they are, or were a moment ago. Any thread. */
    int count() {
        return count;
    }

    /** The loop has ended without these. */
    void rejectAll() {
        while (first != null) {
            first.reject();
        }
    }
}
