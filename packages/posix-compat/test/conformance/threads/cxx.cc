/* cxx.cc - what C++ (ISO/IEC 14882:2020) builds on threads: thread_local, exceptions, std::thread and what it waits by. */
#include "../conformance.h"

#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <future>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

static std::atomic<int> made, destroyed, past;

struct counted {
	int value = 7;
	counted() { made++; }
	~counted() { destroyed++; }
};

static thread_local counted local;

BEHAVIOUR(cxx_thread_local, "thread_local objects are made in each thread that uses them, and destroyed at its end")
{
	std::vector<std::thread> threads;

	for (int i = 0; i < 10; i++)
		threads.emplace_back([i] {
			CHECK(local.value == 7);
			local.value = i;
			std::this_thread::yield();
			CHECK(local.value == i);
		});
	for (auto &thread : threads)
		thread.join();
	CHECK(made == 10 && destroyed == 10);
	CHECK(local.value == 7);
}

static void throws_deep(int depth)
{
	std::string kept(static_cast<size_t>(depth), 'x');

	if (depth == 0)
		throw std::runtime_error("deep");
	throws_deep(depth - 1);
}

BEHAVIOUR(cxx_exceptions, "Exceptions are thrown and caught in many threads at once")
{
	std::vector<std::thread> threads;

	for (int i = 0; i < 8; i++)
		threads.emplace_back([] {
			for (int round = 0; round < 200; round++) {
				try {
					throws_deep(20);
					fail("nothing was thrown");
				} catch (const std::runtime_error &error) {
					CHECK(!strcmp(error.what(), "deep"));
					std::this_thread::yield();
				}
			}
			past++;
		});
	for (auto &thread : threads)
		thread.join();
	CHECK(past == 8);
}

BEHAVIOUR(cxx_exception_ptr, "An exception goes from one thread to another by a future")
{
	auto future = std::async(std::launch::async, []() -> int { throw std::out_of_range("there"); });

	try {
		future.get();
		fail("nothing was thrown");
	} catch (const std::out_of_range &error) {
		CHECK(!strcmp(error.what(), "there"));
	}
}

BEHAVIOUR(cxx_terminate, "An exception that nobody catches in a thread ends the process by SIGABRT")
{
	pid_t child = fork();
	int status;

	if (!child) {
		close(2);
		std::thread([] { throw 1; }).join();
		_exit(0);
	}
	status = status_of(child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

BEHAVIOUR(cxx_terminate_joinable, "Destroying a joinable thread ends the process by SIGABRT")
{
	pid_t child = fork();
	int status;

	if (!child) {
		close(2);
		{
			std::thread thread([] {});
		}
		_exit(0);
	}
	status = status_of(child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void *unwinds(void *arg)
{
	counted object;

	try {
		past = 1;
		for (;;)
			pause();
	} catch (...) {
		made += 100;
		throw;
	}
	return arg;
}

BEHAVIOUR(cxx_cancel, "A cancelled thread's objects are destroyed, and catch (...) sees it (GNU)")
{
	pthread_t thread = begin(unwinds, nullptr);

	UNTIL(past);
	OK(pthread_cancel(thread));
	CHECK(end(thread) == PTHREAD_CANCELED);
	CHECK(made == 101 && destroyed == 1);
}

BEHAVIOUR(cxx_thread_id, "Identifiers: get_id before and in the thread are the same; of one joined it is no thread's")
{
	std::thread::id seen;
	std::thread thread([&] { seen = std::this_thread::get_id(); });
	std::thread::id id = thread.get_id();

	thread.join();
	CHECK(seen == id && id != std::this_thread::get_id() && thread.get_id() == std::thread::id());
}

BEHAVIOUR(cxx_async, "Many asynchronous calls give their values")
{
	std::vector<std::future<long>> futures;
	long sum = 0;

	for (long i = 0; i < 200; i++)
		futures.push_back(std::async(std::launch::async, [i] { return i; }));
	for (auto &future : futures)
		sum += future.get();
	CHECK(sum == 199 * 200 / 2);
}

BEHAVIOUR(cxx_promise, "A future that has no value yet times out, and is ready once it has")
{
	std::promise<int> promise;
	auto future = promise.get_future();

	CHECK(future.wait_for(20ms) == std::future_status::timeout);
	std::thread thread([&] { promise.set_value(4); });
	CHECK(future.wait_for(10s) == std::future_status::ready && future.get() == 4);
	thread.join();
}

BEHAVIOUR(cxx_call_once, "call_once whose call throws is as if not called: another's is made")
{
	std::once_flag flag;
	std::vector<std::thread> threads;
	std::atomic<int> calls = 0, thrown = 0;

	for (int i = 0; i < 8; i++)
		threads.emplace_back([&] {
			try {
				std::call_once(flag, [&] {
					std::this_thread::sleep_for(1ms);
					if (++calls < 4)
						throw 1;
				});
			} catch (int) {
				thrown++;
			}
		});
	for (auto &thread : threads)
		thread.join();
	CHECK(calls == 4 && thrown == 3);
}

static counted &get_static()
{
	static counted object = (std::this_thread::sleep_for(5ms), counted());

	return object;
}

BEHAVIOUR(cxx_static, "A function's static object is made once; others wait for it")
{
	std::vector<std::thread> threads;

	for (int i = 0; i < 10; i++)
		threads.emplace_back([] { CHECK(get_static().value == 7); });
	for (auto &thread : threads)
		thread.join();
	CHECK(made == 1);
}

BEHAVIOUR(cxx_condition_variable, "condition_variable: a queue between threads loses nothing; wait_for times out")
{
	std::mutex mutex;
	std::condition_variable cond;
	std::vector<int> queue;
	long sum = 0;
	std::thread consumer([&] {
		for (int i = 0; i < 3000; i++) {
			std::unique_lock<std::mutex> lock(mutex);

			cond.wait(lock, [&] { return !queue.empty(); });
			sum += queue.back();
			queue.pop_back();
		}
	});

	for (int i = 0; i < 3000; i++) {
		std::lock_guard<std::mutex> lock(mutex);

		queue.push_back(i);
		cond.notify_one();
	}
	consumer.join();
	CHECK(sum == 2999l * 3000 / 2);
	std::unique_lock<std::mutex> lock(mutex);
	CHECK(!cond.wait_for(lock, 20ms, [] { return false; }));
}

BEHAVIOUR(cxx_shared_mutex, "shared_timed_mutex: readers together, writers alone, timed ones time out")
{
	std::shared_timed_mutex mutex;

	mutex.lock_shared();
	std::thread([&] {
		CHECK(mutex.try_lock_shared());
		mutex.unlock_shared();
		CHECK(!mutex.try_lock_for(20ms));
	}).join();
	mutex.unlock_shared();
	mutex.lock();
	std::thread([&] { CHECK(!mutex.try_lock_shared_for(20ms)); }).join();
	mutex.unlock();
}

BEHAVIOUR(cxx_recursive_mutex, "recursive_timed_mutex: its owner locks it again, another times out")
{
	std::recursive_timed_mutex mutex;

	mutex.lock();
	CHECK(mutex.try_lock_for(10ms));
	std::thread([&] { CHECK(!mutex.try_lock_for(20ms)); }).join();
	mutex.unlock();
	mutex.unlock();
	std::thread([&] { CHECK(mutex.try_lock()); }).join();
}

BEHAVIOUR(cxx_stop, "jthread is told to stop, and joined, when it is destroyed")
{
	{
		std::jthread thread([](std::stop_token token) {
			while (!token.stop_requested())
				std::this_thread::sleep_for(1ms);
			past = 1;
		});
	}
	CHECK(past == 1);
}

BEHAVIOUR(cxx_latch_barrier, "latch and barrier let go when all have come")
{
	std::latch latch(4);
	std::atomic<int> completions = 0;
	std::barrier barrier(4, [&]() noexcept { completions++; });
	std::vector<std::thread> threads;

	for (int i = 0; i < 4; i++)
		threads.emplace_back([&] {
			past++;
			latch.arrive_and_wait();
			CHECK(past == 4);
			for (int round = 1; round <= 50; round++) {
				barrier.arrive_and_wait();
				CHECK(completions >= round);
			}
		});
	for (auto &thread : threads)
		thread.join();
	CHECK(completions == 50);
}

BEHAVIOUR(cxx_semaphore, "counting_semaphore: acquire waits, try_acquire_for times out")
{
	std::counting_semaphore<10> semaphore(0);
	std::thread thread([&] {
		std::this_thread::sleep_for(5ms);
		semaphore.release(3);
	});

	for (int i = 0; i < 3; i++)
		semaphore.acquire();
	thread.join();
	CHECK(!semaphore.try_acquire_for(20ms));
}

BEHAVIOUR(cxx_atomic_wait, "atomic wait returns when the value has changed and somebody notifies")
{
	std::atomic<int> word = 0;
	std::thread thread([&] {
		for (int i = 1; i <= 500; i++) {
			word.wait(2 * i - 2);
			word = 2 * i;
			word.notify_one();
		}
	});

	for (int i = 1; i <= 500; i++) {
		word = 2 * i - 1;
		word.notify_one();
		while (word != 2 * i)
			word.wait(2 * i - 1);
	}
	thread.join();
}

BEHAVIOUR(cxx_sleep, "sleep_for and sleep_until sleep not less than they are told")
{
	auto began = std::chrono::steady_clock::now();

	std::thread([] { std::this_thread::sleep_for(20ms); }).join();
	std::this_thread::sleep_until(began + 50ms);
	CHECK(std::chrono::steady_clock::now() >= began + 50ms);
}
