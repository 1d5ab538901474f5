// Compute.java: loops without a call, compiled while they run (OSR). A thread that stops all others gets them out of these by pages that fault when polled.
import java.util.*;
import java.util.concurrent.atomic.*;

final class Compute {
    static final long FACTOR = 6364136223846793005L, SUMMAND = 1442695040888963407L;

    /** What n steps of the loop of integers() make of x, in few. */
    static long jump(long x, long n) {
        long a = FACTOR, c = SUMMAND;
        for (; n > 0; n >>= 1) {
            if ((n & 1) != 0) x = x * a + c;
            c = c * a + c;
            a *= a;
        }
        return x;
    }

    static void integers(Random dice) {
        long x = dice.nextLong(), y = dice.nextLong(), z = dice.nextLong();
        long n = 1_000_000 + dice.nextInt(10_000_000);
        long[] expected = {jump(x, n), jump(y, n), jump(z, n)};
        for (long i = 0; i < n; i++) { // a long counts, so that each iteration polls
            x = x * FACTOR + SUMMAND;
            y = y * FACTOR + SUMMAND;
            z = z * FACTOR + SUMMAND;
        }
        Soak.check(Arrays.equals(new long[] {x, y, z}, expected), "integers", n);
    }

    /** Sums of whole numbers below 2^53 are exact. */
    static void doubles(Random dice) {
        int n = 1_000_000 + dice.nextInt(3_000_000);
        double s = 0, t = 0, u = 0, v = 0, w = 0, x = 0, y = 0, z = 0;
        for (double i = 1; i <= n; i++) {
            s += i;
            t += 2 * i;
            u += 3 * i;
            v += 4 * i;
            w += 5 * i;
            x += 6 * i;
            y += 7 * i;
            z += 8 * i;
        }
        double one = (double)n * (n + 1) / 2;
        Soak.check(s == one && t == 2 * one && u == 3 * one && v == 4 * one && w == 5 * one && x == 6 * one && y == 7 * one && z == 8 * one, "doubles", n);
    }

    /** Loops that the compiler makes vector instructions of, as wide as there are. */
    static void arrays(Random dice) {
        int n = 1000 + dice.nextInt(200_000), factor = dice.nextInt();
        int[] from = new int[n], to = new int[n];
        double[] numbers = new double[n];
        for (int i = 0; i < n; i++) from[i] = i * factor;
        for (int round = 0; round < 20; round++) {
            for (int i = 0; i < n; i++) to[i] = from[i] * 3 + round;
            int sum = 0;
            for (int i = 0; i < n; i++) sum += to[i];
            Soak.check(sum == 3 * factor * (int)((long)n * (n - 1) / 2) + n * round, "a sum of an array", n, factor, sum);
            for (int i = 0; i < n; i++) numbers[i] = numbers[i] * 2 + 1;
        }
        for (double number : numbers) Soak.check(number == (1 << 20) - 1, "an array of doubles", number);
        Soak.check(Arrays.equals(to, Arrays.copyOf(to, n)) && Arrays.mismatch(from, from.clone()) < 0, "copies");
    }

    static final AtomicLong stopped = new AtomicLong();

    /** A thread that spins is stopped as often as it takes: what stops it waits for it, and it for that. */
    static void spins(Random dice) throws InterruptedException {
        AtomicBoolean free = new AtomicBoolean();
        long[] turns = new long[1];
        Thread spinner = new Thread(() -> {
            long n = 0;
            while (!free.getPlain() && !free.get()) n++;
            turns[0] = n;
        });
        spinner.start();
        for (int i = 0; i < 3; i++) {
            StackTraceElement[] stack = spinner.getStackTrace();
            if (stack.length > 0) stopped.incrementAndGet();
            Thread.getAllStackTraces();
        }
        free.set(true);
        spinner.join();
        Soak.check(turns[0] >= 0, "turns");
    }
}
