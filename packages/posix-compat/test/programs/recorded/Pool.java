// Pool.java - for recordings: a pool of threads; what it prints depends on clocks and random numbers.
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

public class Pool {
  public static void main(String[] args) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(4);
    List<Future<Integer>> results = new ArrayList<>();
    Random random = new Random();
    for (int i = 0; i < 20; i++) {
      final int k = random.nextInt(1000);
      results.add(pool.submit(() -> {
        int sum = 0;
        for (int j = 0; j < 100000; j++) sum += (j * k) % 7;
        Thread.sleep(k % 3);
        return sum;
      }));
    }
    long total = 0;
    for (Future<Integer> result : results) total += result.get();
    pool.shutdown();
    System.out.println(total + " " + System.nanoTime() + " " + UUID.randomUUID() + " " + ProcessHandle.current().pid());
  }
}
