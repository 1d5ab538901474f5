// Traps.java: signals that the JVM uses, beside those of its polls: faults that are exceptions, code that is thrown away, thread dumps, children's ends.
import java.io.*;
import java.lang.reflect.*;
import java.nio.*;
import java.nio.channels.*;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;

final class Traps {
    static final AtomicLong thrown = new AtomicLong(), signalled = new AtomicLong();

    static final class Link {
        Link next;
        int value = 7;
    }

    /** A rare null: compiled code does not look, and faults. */
    static void nulls(Random dice) {
        Link[] links = new Link[1000];
        for (int i = 0; i < links.length; i++) links[i] = new Link();
        int missing = dice.nextInt(links.length);
        links[missing] = null;
        int caught = 0, sum = 0;
        for (int round = 0; round < 100; round++)
            for (int i = 0; i < links.length; i++)
                try {
                    sum += links[i].value;
                } catch (NullPointerException e) {
                    Soak.check(i == missing, "a null", i, missing);
                    caught++;
                }
        Soak.check(caught == 100 && sum == 7 * 999 * 100, "nulls", caught, sum);
        thrown.addAndGet(caught);
    }

    static void divisions(Random dice) {
        int caught = 0, sum = 0, zero = dice.nextInt(100);
        for (int i = 0; i < 10_000; i++)
            try {
                sum += 1000 / (i % 100 - zero);
            } catch (ArithmeticException e) {
                caught++;
            }
        int expected = 0;
        for (int i = 0; i < 100; i++) expected += i == zero ? 0 : 1000 / (i - zero);
        Soak.check(caught == 100 && sum == expected * 100, "divisions", caught, sum);
        thrown.addAndGet(caught);
    }

    static int depth(int n) {
        return depth(n + 1) + 1;
    }

    /** The end of a stack is a page that faults. */
    static void overflows(Random dice) throws Exception {
        AtomicInteger caught = new AtomicInteger();
        Thread thread = new Thread(null, () -> {
            for (int i = 0; i < 3; i++)
                try {
                    depth(0);
                } catch (StackOverflowError e) {
                    caught.incrementAndGet();
                }
        }, "deep", (200 + dice.nextInt(400)) << 10);
        thread.start();
        thread.join();
        Soak.check(caught.get() == 3, "overflows", caught);
        thrown.addAndGet(3);
    }

    /** What is mapped of a file that has become shorter faults by SIGBUS. */
    static void files(Random dice) throws Exception {
        Path path = Files.createTempFile("soak", "");
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MappedByteBuffer map = file.map(FileChannel.MapMode.READ_WRITE, 0, 1 << 16);
            int at = dice.nextInt(1 << 16);
            map.put(at, (byte)5);
            Soak.check(map.get(at) == 5, "a file", at);
            file.truncate(0);
            try {
                byte seen = map.get(at); // and used: else the compiler leaves it out
                Thread.sleep(1); // it may be told late
                Soak.check(false, "no fault, but " + seen, at);
            } catch (InternalError e) {
                thrown.incrementAndGet();
            }
        } finally {
            Files.delete(path);
        }
    }

    public abstract static class Shape {
        abstract int area(int side);
    }

    public static final class Square extends Shape {
        @Override
        int area(int side) {
            return side * side;
        }
    }

    public static final class Half extends Shape {
        @Override
        int area(int side) {
            return side * side / 2;
        }
    }

    /** A loader of its own has each class anew. */
    static final class Loader extends ClassLoader {
        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith("Traps$")) return super.loadClass(name, resolve);
            Class<?> found = findLoadedClass(name);
            if (found != null) return found;
            try (InputStream in = Traps.class.getResourceAsStream(name + ".class")) {
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }

    public static final class Areas implements Callable<Integer> {
        /** Compiled when there's one subclass; thrown away at the next. */
        @Override
        public Integer call() throws Exception {
            int sum = 0;
            for (String name : new String[] {"Traps$Square", "Traps$Half"}) {
                Shape shape = (Shape)Class.forName(name, true, Areas.class.getClassLoader()).getDeclaredConstructor().newInstance();
                for (int i = 0; i < 100_000; i++) sum += shape.area(i % 10);
            }
            return sum;
        }
    }

    static void classes(Random dice) throws Exception {
        Callable<?> areas = (Callable<?>)new Loader().loadClass("Traps$Areas", true).getDeclaredConstructor().newInstance();
        Soak.check(areas.call().equals(10_000 * (285 + 140)), "areas");
        Thread.sleep(dice.nextInt(5));
    }

    @SuppressWarnings("removal")
    static void signals(Random dice) throws Exception {
        String name = dice.nextBoolean() ? "WINCH" : "CONT";
        Semaphore got = new Semaphore(0);
        sun.misc.Signal.handle(new sun.misc.Signal(name), sig -> got.release());
        for (int i = 0; i < 10; i++) {
            sun.misc.Signal.raise(new sun.misc.Signal(name));
            got.acquire();
            signalled.incrementAndGet();
        }
        Thread.sleep(dice.nextInt(20));
    }

    /** A child, which now and then has all stacks printed. */
    static void processes(Random dice) throws Exception {
        int status = dice.nextInt(100);
        long pid = ProcessHandle.current().pid();
        String dump = dice.nextInt(20) == 0 ? "kill -QUIT " + pid + "; " : "";
        Process child = new ProcessBuilder("/bin/sh", "-c", dump + "echo " + status + "; exit " + status).start();
        Soak.check(new String(child.getInputStream().readAllBytes()).equals(status + "\n"), "a child's output");
        Soak.check(child.waitFor() == status, "a child's status", status);
        Thread.sleep(dice.nextInt(50));
    }

    static void pipes(Random dice) throws Exception {
        Pipe pipe = Pipe.open();
        int n = dice.nextInt(500_000);
        Thread writer = new Thread(() -> {
            try (Pipe.SinkChannel sink = pipe.sink()) {
                ByteBuffer bytes = ByteBuffer.allocateDirect(n);
                for (int i = 0; i < n; i++) bytes.put((byte)(i * 7));
                bytes.flip();
                while (bytes.hasRemaining()) sink.write(bytes);
            } catch (Throwable e) {
                Soak.wrong(e);
            }
        });
        writer.start();
        int got = 0;
        try (Selector selector = Selector.open(); Pipe.SourceChannel source = pipe.source()) {
            source.configureBlocking(false);
            source.register(selector, SelectionKey.OP_READ);
            ByteBuffer bytes = ByteBuffer.allocate(10_000);
            for (int read = 0; read >= 0;) {
                selector.select();
                selector.selectedKeys().clear();
                while ((read = source.read(bytes.clear())) > 0) {
                    bytes.flip();
                    for (; bytes.hasRemaining(); got++) Soak.check(bytes.get() == (byte)(got * 7), "a byte", got);
                }
            }
        }
        writer.join();
        Soak.check(got == n, "bytes", got, n);
    }
}
