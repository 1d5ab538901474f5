/*
 * pool-shutdown.cc - a pool of threads that does not always end, built anew from what is told of one in https://github.com/bshoshany/thread-pool/pull/108 (issues 93, 100, 107):
 * who ends it sets a flag and notifies without the mutex, so a worker that has looked at the flag and does not wait yet is not told. `mended` as an argument: with the mutex.
 */
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

class pool {
public:
	pool(unsigned n, bool mended) : mended(mended)
	{
		for (unsigned i = 0; i < n; i++)
			workers.emplace_back([this] { work(); });
	}

	~pool()
	{
		if (mended) {
			std::lock_guard lock(mutex);
			running = false;
			there_is_work.notify_all();
		} else {
			running = false;
			there_is_work.notify_all();
		}
		for (auto &worker : workers)
			worker.join();
	}

	void push(std::function<void()> task)
	{
		{
			std::lock_guard lock(mutex);
			tasks.push_back(std::move(task));
		}
		there_is_work.notify_one();
	}

private:
	void work()
	{
		std::unique_lock lock(mutex);
		for (;;) {
			there_is_work.wait(lock, [this] { return !tasks.empty() || !running; });
			if (tasks.empty())
				return;
			auto task = std::move(tasks.front());
			tasks.pop_front();
			lock.unlock();
			task();
			lock.lock();
		}
	}

	const bool mended;
	std::atomic<bool> running = true;
	std::mutex mutex;
	std::condition_variable there_is_work;
	std::deque<std::function<void()>> tasks;
	std::vector<std::thread> workers;
};

int main(int argc, char **)
{
	std::atomic<int> done = 0;
	{
		pool workers(2, argc > 1);
		workers.push([&] { done++; });
	}
	return done == 1 ? 0 : 1;
}
