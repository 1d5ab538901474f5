// Soak.java: a soak of the JVM: threads that compiled code has no calls for, only safepoint polls that fault, while garbage is collected all the time. Each is an actor,
// which does its rounds until time is up; a wrong result ends the program, and so does whoever watches, if one does not go on. SOAK SECONDS SEED.
import java.lang.management.*;
import java.util.*;
import java.util.concurrent.atomic.*;

public class Soak {
    /** Without a round: CPU time of the process, as it may get little of it, and looks, ten in a second, as it may wait for good. */
    static final long STALLED_NS = 60_000_000_000L, STALLED_LOOKS = 2400;

    interface Round {
        void run(Random dice) throws Throwable;
    }

    static final class Actor extends Thread {
        final Round round;
        final Random dice;
        volatile long rounds;
        volatile boolean over;

        Actor(String name, Round round, long seed) {
            super(name);
            this.round = round;
            dice = new Random(seed);
        }

        @Override
        public void run() {
            try {
                do { // one round at least
                    round.run(dice);
                    rounds++;
                } while (!stop);
            } catch (Throwable e) {
                wrong(e);
            }
            over = true;
        }
    }

    static volatile boolean stop;
    static final List<Actor> actors = new ArrayList<>();

    static void wrong(Throwable e) {
        System.err.println("wrong: " + Thread.currentThread().getName());
        e.printStackTrace();
        Runtime.getRuntime().halt(1);
    }

    static void check(boolean holds, String what, Object... values) {
        if (!holds) throw new AssertionError(what + " " + Arrays.toString(values));
    }

    static void begin(String name, long seed, int count, Round round) {
        for (int i = 0; i < count; i++) actors.add(new Actor(name + i, round, seed + actors.size()));
    }

    /** Ends the program, with all stacks, if an actor's rounds stay what they are. */
    static void watch() {
        var system = (com.sun.management.OperatingSystemMXBean)ManagementFactory.getOperatingSystemMXBean();
        long[] seen = new long[actors.size()], at = new long[actors.size()], looks = new long[actors.size()];
        try {
            for (;; Thread.sleep(100)) {
                long now = system.getProcessCpuTime();
                for (int i = 0; i < seen.length; i++) {
                    Actor actor = actors.get(i);
                    if (actor.over || actor.rounds != seen[i]) {
                        at[i] = now;
                        looks[i] = 0;
                    }
                    seen[i] = actor.rounds;
                    if (++looks[i] < STALLED_LOOKS && now - at[i] < STALLED_NS) continue;
                    System.err.println("does not go on: " + actor.getName());
                    for (Map.Entry<Thread, StackTraceElement[]> each : Thread.getAllStackTraces().entrySet())
                        System.err.println(each.getKey() + " " + each.getKey().getState() + " " + Arrays.toString(each.getValue()));
                    Runtime.getRuntime().halt(2);
                }
            }
        } catch (Throwable e) {
            wrong(e);
        }
    }

    public static void main(String[] args) throws Exception {
        long seed = Long.parseLong(args[1]);
        begin("integers", seed, 2, Compute::integers);
        begin("doubles", seed, 1, Compute::doubles);
        begin("arrays", seed, 2, Compute::arrays);
        begin("spins", seed, 1, Compute::spins);
        begin("trees", seed, 2, Garbage::trees);
        begin("maps", seed, 1, Garbage::maps);
        begin("references", seed, 1, Garbage::references);
        begin("collector", seed, 1, Garbage::collector);
        begin("monitors", seed, 1, Locks::monitors);
        begin("queues", seed, 1, Locks::queues);
        begin("pools", seed, 1, Locks::pools);
        begin("counters", seed, 1, Locks::counters);
        begin("threads", seed, 1, Locks::threads);
        begin("nulls", seed, 2, Traps::nulls);
        begin("divisions", seed, 1, Traps::divisions);
        begin("overflows", seed, 1, Traps::overflows);
        begin("files", seed, 1, Traps::files);
        begin("classes", seed, 1, Traps::classes);
        begin("signals", seed, 1, Traps::signals);
        begin("processes", seed, 1, Traps::processes);
        begin("pipes", seed, 1, Traps::pipes);
        for (Actor actor : actors) actor.start();
        Thread watch = new Thread(Soak::watch);
        watch.setDaemon(true);
        watch.start();
        Thread.sleep(Long.parseLong(args[0]) * 1000);
        stop = true;
        for (Actor actor : actors) actor.join();
        long collections = 0;
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) collections += collector.getCollectionCount();
        for (Actor actor : actors) System.err.print(actor.getName() + " " + actor.rounds + ", ");
        System.err.println();
        System.out.println("held: " + collections + " collections, " + Compute.stopped + " stopped, " + Traps.thrown + " faults, " + Traps.signalled + " signals");
    }
}
