package dev.jvloop.host;

/** The submissions of a loop whose tasks run, linked through themselves. The loop's thread only. */
final class Submissions {
    private Submission<?> first;

    void add(Submission<?> submission) {
        submission.next = first;
        if (first != null) {
            first.previous = submission;
        }
        first = submission;
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
    }

    /** The loop has ended without these. */
    void rejectAll() {
        while (first != null) {
            first.reject();
        }
    }
}
