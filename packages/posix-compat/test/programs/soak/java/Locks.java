// Locks.java: threads that wait for one another. What is counted is counted once.
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.concurrent.locks.*;
import java.util.stream.*;

final class Locks {
    interface Work {
        void run(int index) throws Exception;
    }

    /** Runs it on new threads; returns when all have done it. */
    static void together(int count, Work work) throws Exception {
        List<FutureTask<Void>> tasks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int index = i;
            tasks.add(new FutureTask<>(() -> {
                work.run(index);
                return null;
            }));
            new Thread(tasks.get(i)).start();
        }
        for (FutureTask<Void> task : tasks) task.get();
    }

    /** Turns, by wait and notifyAll. */
    static void monitors(Random dice) throws Exception {
        int count = 2 + dice.nextInt(6), rounds = 10;
        Object monitor = new Object();
        int[] turn = new int[1];
        together(count, index -> {
            for (int i = 0; i < rounds; i++)
                synchronized (monitor) {
                    while (turn[0] % count != index) monitor.wait(i % 2 == 0 ? 0 : 1000);
                    turn[0]++;
                    monitor.notifyAll();
                    Soak.check(monitor.hashCode() == System.identityHashCode(monitor), "an object's number");
                }
        });
        Soak.check(turn[0] == count * rounds, "turns", turn[0]);
    }

    /** Numbers through queues of each kind; all come out, once. */
    static void queues(Random dice) throws Exception {
        List<BlockingQueue<Integer>> kinds = List.of(new SynchronousQueue<>(), new ArrayBlockingQueue<>(3), new LinkedTransferQueue<>(), new LinkedBlockingQueue<>());
        BlockingQueue<Integer> queue = kinds.get(dice.nextInt(kinds.size()));
        int numbers = 100;
        AtomicLong sum = new AtomicLong();
        together(6, index -> {
            for (int i = 0; i < numbers; i++)
                if (index < 3) queue.put(i);
                else sum.addAndGet(queue.take());
        });
        Soak.check(sum.get() == 3L * numbers * (numbers - 1) / 2 && queue.isEmpty(), "a queue's sum", sum);
    }

    static final class Sum extends RecursiveTask<Long> {
        final int from, to;

        Sum(int from, int to) {
            this.from = from;
            this.to = to;
        }

        @Override
        protected Long compute() {
            if (to - from <= 50) return LongStream.range(from, to).sum() + new byte[100].length - 100;
            Sum left = new Sum(from, (from + to) / 2);
            left.fork();
            return new Sum((from + to) / 2, to).compute() + left.join();
        }
    }

    static void pools(Random dice) throws Exception {
        int n = 1000 + dice.nextInt(20_000);
        long expected = (long)n * (n - 1) / 2;
        ForkJoinPool pool = new ForkJoinPool(1 + dice.nextInt(8));
        Soak.check(pool.invoke(new Sum(0, n)) == expected, "a pool's sum", n);
        pool.shutdown();
        Soak.check(IntStream.range(0, n).parallel().mapToObj(Integer::valueOf).collect(Collectors.summingLong(i -> i)) == expected, "a stream's sum", n);
        Soak.check(CompletableFuture.supplyAsync(() -> n).thenCombineAsync(CompletableFuture.supplyAsync(() -> 2), (a, b) -> a * b).get() == n * 2, "a future", n);
        pool.awaitTermination(1, TimeUnit.HOURS);
    }

    static void counters(Random dice) throws Exception {
        ReentrantLock lock = new ReentrantLock(dice.nextBoolean());
        Condition full = lock.newCondition();
        StampedLock stamped = new StampedLock();
        CyclicBarrier barrier = new CyclicBarrier(4);
        int[] counted = new int[3];
        together(4, index -> {
            barrier.await();
            for (int i = 0; i < 50; i++) {
                lock.lock();
                if (++counted[0] == 200) full.signalAll();
                lock.unlock();
                long stamp = stamped.writeLock();
                counted[1]++;
                counted[2]++;
                stamped.unlockWrite(stamp);
                stamp = stamped.readLock();
                Soak.check(counted[1] == counted[2], "a pair");
                stamped.unlockRead(stamp);
            }
            lock.lock();
            while (counted[0] < 200) full.await();
            lock.unlock();
        });
        Soak.check(counted[0] == 200 && counted[1] == 200, "counters", counted[0], counted[1]);
    }

    /** Threads that are interrupted while they sleep, park or wait, and end. */
    static void threads(Random dice) throws Exception {
        AtomicInteger interrupted = new AtomicInteger();
        Thread[] threads = new Thread[8];
        for (int i = 0; i < threads.length; i++) {
            int index = i;
            threads[i] = new Thread(null, () -> {
                try {
                    if (index % 3 == 0) Thread.sleep(3_600_000);
                    else if (index % 3 == 1) while (!Thread.interrupted()) LockSupport.parkNanos(3_600_000_000_000L);
                    else new Semaphore(0).acquire();
                } catch (InterruptedException e) { // as it is to be
                }
                interrupted.incrementAndGet();
            }, "short", 128 << 10);
            threads[i].start();
        }
        for (Thread thread : threads) thread.interrupt();
        for (Thread thread : threads) thread.join();
        Soak.check(interrupted.get() == threads.length, "interrupted", interrupted);
    }
}
