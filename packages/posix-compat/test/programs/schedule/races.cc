/*
 * races.cc - known races of threads in C++: `races NAME` ends with 1, or in a deadlock, in some orders of its threads; `races NAME mended` in none.
 */
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

static bool mended;
static std::mutex mutex, other;

static void together(const std::function<void()> &one, const std::function<void()> &two)
{
	std::thread first(one), second(two);
	first.join();
	second.join();
}

/** What is locked where the program is mended. */
static std::unique_lock<std::mutex> lock_if_mended()
{
	return mended ? std::unique_lock(mutex) : std::unique_lock<std::mutex>();
}

/* The element's value is read, and written later. */
static bool lost_update()
{
	std::vector<std::atomic<long>> numbers(1);
	auto add = [&] {
		for (int i = 0; i < 50; i++) {
			auto lock = lock_if_mended();
			numbers.at(0).store(numbers.at(0).load() + 1);
		}
	};
	together(add, add);
	return numbers[0] == 100;
}

/* What a thread uses is set after it was made. */
static bool order_violation()
{
	std::optional<std::string> name;
	size_t length = 0;
	if (mended)
		name = "hello";
	std::thread thread([&] { length = name ? name->size() : 0; });
	if (!mended)
		name = "hello";
	thread.join();
	return length == 5;
}

static bool abba_deadlock()
{
	int number = 0;
	auto both = [&](std::mutex &first, std::mutex &second) {
		for (int i = 0; i < 3; i++) {
			if (mended) {
				std::scoped_lock lock(first, second);
				number++;
			} else {
				std::lock_guard one(first);
				std::lock_guard two(second);
				number++;
			}
		}
	};
	together([&] { both(mutex, other); }, [&] { both(other, mutex); });
	return number == 6;
}

/* A flag is looked at before the mutex is taken to wait for it. */
static bool lost_wake_up()
{
	std::condition_variable condition;
	std::atomic<bool> ready = false;
	std::thread waiter([&] {
		if (mended) {
			std::unique_lock lock(mutex);
			condition.wait(lock, [&] { return ready.load(); });
		} else if (!ready) {
			std::unique_lock lock(mutex);
			condition.wait(lock);
		}
	});
	{
		auto lock = lock_if_mended();
		ready = true;
	}
	condition.notify_one();
	waiter.join();
	return true;
}

static bool check_then_act()
{
	long balance = 100;
	std::recursive_mutex account;
	auto withdraw = [&] {
		std::unique_lock whole(account, std::defer_lock);
		if (mended)
			whole.lock();
		long found = (std::lock_guard(account), balance);
		if (found < 80)
			return;
		std::lock_guard lock(account);
		balance -= 80;
	};
	together(withdraw, withdraw);
	return balance >= 0;
}

struct thing {
	volatile int value;
};

/* The pointer is there before what it points to is made. */
static bool double_checked_lock()
{
	std::atomic<thing *> only = nullptr;
	std::atomic<bool> unmade = false;
	auto use = [&] {
		if (!only) {
			std::lock_guard lock(mutex);
			if (!only && mended) {
				only = new thing{42};
			} else if (!only) {
				only = new thing;
				only.load()->value = 42;
			}
		}
		if (only.load()->value != 42)
			unmade = true;
	};
	together(use, use);
	return !unmade;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		bool (*run)();
	} races[] = {{"lost-update", lost_update},   {"order-violation", order_violation}, {"abba-deadlock", abba_deadlock},
	             {"lost-wake-up", lost_wake_up}, {"check-then-act", check_then_act},   {"double-checked-lock", double_checked_lock}};
	mended = argc > 2;
	for (const auto &race : races)
		if (argc > 1 && !strcmp(argv[1], race.name))
			return race.run() ? 0 : 1;
	fprintf(stderr, "no such race\n");
	return 2;
}
