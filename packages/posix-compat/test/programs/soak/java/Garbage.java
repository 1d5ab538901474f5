// Garbage.java: memory whose contents say whether the collector has seen all that is in use, and moved it with all who point to it.
import java.lang.management.*;
import java.lang.ref.*;
import java.util.*;
import java.util.concurrent.*;

final class Garbage {
    static final class Tree {
        Tree left, right;
        final long value;

        Tree(int depth, long value) {
            this.value = value;
            if (depth == 0) return;
            left = new Tree(depth - 1, value * 2);
            right = new Tree(depth - 1, value * 2 + 1);
        }

        long sum() {
            return left == null ? value : left.sum() + right.sum();
        }
    }

    /** The leaves at a depth are a row of numbers. Now and then a part goes, and grows again. */
    static void trees(Random dice) {
        int depth = 4 + dice.nextInt(11);
        long count = 1L << depth, first = count * 3, expected = count * first + count * (count - 1) / 2;
        Tree tree = new Tree(depth, 3);
        for (int i = 0; i < 3; i++) {
            Soak.check(tree.sum() == expected, "a tree", depth);
            Tree at = tree;
            for (int j = 0; j < depth / 2 - 1; j++) at = dice.nextBoolean() ? at.left : at.right;
            at.left = new Tree(depth - Math.max(depth / 2 - 1, 0) - 1, at.value * 2);
        }
        Soak.check(tree.sum() == expected, "a tree that has grown again", depth);
    }

    static final Map<String, byte[]> kept = new ConcurrentHashMap<>();

    static void maps(Random dice) {
        Map<Long, long[]> map = dice.nextBoolean() ? new HashMap<>() : new TreeMap<>();
        for (long i = 0; i < 9_000; i++) {
            long[] values = new long[(int)(1 + i % 17)];
            values[(int)(i % 17)] = i;
            map.put(i * Compute.FACTOR, values);
            if (i % 3 == 2) map.remove((i - 1) * Compute.FACTOR);
        }
        Soak.check(map.size() == 6_000, "a map's size", map.size());
        map.forEach((key, values) -> {
            long i = values[values.length - 1];
            Soak.check(i * Compute.FACTOR == key && i % 3 != 1, "a map", key, i);
        });
        String name = "key " + dice.nextInt(200);
        byte[] value = kept.get(name);
        if (value != null) Soak.check(value.length > 100 && new String(value, 0, name.length()).equals(name), "what is kept", name);
        kept.put(name, Arrays.copyOf(name.getBytes(), 200 + dice.nextInt(100_000)));
    }

    static final Cleaner cleaner = Cleaner.create();

    /** What nothing points to any more is told of, and nothing else. */
    static void references(Random dice) throws InterruptedException {
        ReferenceQueue<Object> queue = new ReferenceQueue<>();
        Set<Reference<Object>> references = new HashSet<>();
        CountDownLatch cleaned = new CountDownLatch(10);
        List<Object> held = new ArrayList<>();
        List<WeakReference<Object>> alive = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            Object object = new byte[100];
            references.add(i % 2 == 0 ? new WeakReference<>(object, queue) : new PhantomReference<>(object, queue));
            if (i < 10) cleaner.register(object, cleaned::countDown);
            held.add(new long[] {i});
            alive.add(new WeakReference<>(held.get(i)));
        }
        while (!references.isEmpty()) {
            System.gc();
            for (Reference<?> reference; (reference = queue.remove(10)) != null;) Soak.check(references.remove(reference), "a reference");
        }
        cleaned.await();
        for (int i = 0; i < 100; i++) Soak.check(alive.get(i).get() == held.get(i), "what is held", i);
    }

    static void collector(Random dice) throws InterruptedException {
        switch (dice.nextInt(4)) {
            case 0 -> System.gc();
            case 1 -> Soak.check(ManagementFactory.getThreadMXBean().dumpAllThreads(true, true).length > 10, "threads");
            case 2 -> Soak.check(ManagementFactory.getThreadMXBean().findDeadlockedThreads() == null, "a deadlock");
            default -> {
                byte[][] much = new byte[50][];
                for (int i = 0; i < much.length; i++) Arrays.fill(much[i] = new byte[1 + dice.nextInt(300_000)], (byte)i);
                for (int i = 0; i < much.length; i++) Soak.check(much[i][0] == i && much[i][much[i].length - 1] == i, "a large array", i);
            }
        }
        Thread.sleep(dice.nextInt(10));
    }
}
