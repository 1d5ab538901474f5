/*
 * exceptions.cpp - C++ exceptions of userthreads that switch while they throw, unwind, catch and rethrow: each has its own, whatever the others
 * do meanwhile; thread0 has, too; and they go along to another rfork.
 */
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#define RFORKS 2
#include "rforks.h"

namespace {

struct Error {
	int thread, number;
};

bool migrates; /* whether a switch is one to another rfork */
int ended; /* of one rfork */

void switches(int n)
{
	if (migrates)
		CHECK_EQ(lwkt_setcpu_self(rforks[n % (RFORKS + 1)]), 0);
	lwkt_yield();
}

void has_none()
{
	CHECK_EQ(std::uncaught_exceptions(), 0);
	CHECK(std::current_exception() == nullptr);
}

/** Whether what is being handled is this one. */
bool handles(const Error &error)
{
	try {
		throw;
	} catch (const Error &same) {
		return &same == &error;
	} catch (...) {
		return false;
	}
}

/** What it does while an exception that it does not know passes by. */
struct Passed {
	int thread, before;

	explicit Passed(int thread) : thread(thread), before(std::uncaught_exceptions()) {}

	~Passed()
	{
		CHECK_EQ(std::uncaught_exceptions(), before + 1);
		switches(thread);
		CHECK_EQ(std::uncaught_exceptions(), before + 1);
		try {
			throw Error{thread, -1};
		} catch (const Error &error) {
			CHECK_EQ(std::uncaught_exceptions(), before + 1);
			switches(thread + 1);
			CHECK_EQ(error.thread, thread);
			CHECK_EQ(error.number, -1);
		}
		CHECK_EQ(std::uncaught_exceptions(), before + 1);
		switches(thread + 2);
	}
};

[[noreturn]] void throws_deep(int thread, int number, int levels)
{
	Passed passed(thread);

	if (levels > 0)
		throws_deep(thread, number, levels - 1);
	throw Error{thread, number};
}

void nested(int thread, int number)
{
	try {
		throws_deep(thread, number, 2);
	} catch (const Error &outer) {
		CHECK_EQ(std::uncaught_exceptions(), 0);
		switches(number);
		CHECK(handles(outer));
		try {
			throw std::runtime_error(std::to_string(thread));
		} catch (const std::exception &inner) {
			switches(number + 1);
			CHECK(std::stoi(inner.what()) == thread);
			CHECK(!handles(outer));
		}
		CHECK(handles(outer));
		switches(number + 2);
		CHECK_EQ(outer.thread, thread);
		CHECK_EQ(outer.number, number);
		throw; /* past the end of this handler */
	}
}

std::exception_ptr in_common; /* thrown by one thread, and again by the next */

void throws(void *arg)
{
	int thread = static_cast<int>(reinterpret_cast<intptr_t>(arg));

	has_none();
	for (int number = 0; number < 20 * SCALE; number++) {
		try {
			Passed passed(thread);

			nested(thread, number);
			CHECK(!"it has thrown nothing");
		} catch (const Error &error) {
			switches(number);
			CHECK(handles(error));
			CHECK_EQ(error.thread, thread);
			CHECK_EQ(error.number, number);
			if (!migrates)
				in_common = std::current_exception();
		}
		has_none();
		switches(number);
		has_none();
		if (in_common) {
			try {
				std::rethrow_exception(std::exchange(in_common, nullptr));
			} catch (const Error &error) {
				int whose = error.thread;

				switches(number);
				CHECK_EQ(error.thread, whose);
				CHECK(handles(error));
			}
		}
	}
	if (!migrates)
		ended++;
}

/* It has no exception, whoever handles one meanwhile. */
void throws_nothing(void *)
{
	for (int i = 0; i < 100; i++) {
		has_none();
		switches(i);
	}
}

void on_one_rfork()
{
	ended = 0;
	for (intptr_t i = 0; i < 20; i++) {
		start(throws, reinterpret_cast<void *>(i), 0);
		start(throws_nothing, nullptr, 0);
	}
	try {
		throw Error{-1, 4711};
	} catch (const Error &error) {
		run_all(); /* thread0 leaves in its handler, and new threads begin meanwhile */
		CHECK(handles(error));
		CHECK_EQ(error.number, 4711);
	}
	has_none();
	CHECK_EQ(ended, 20);
	in_common = nullptr;
}

void waits(void *arg)
{
	int thread = static_cast<int>(reinterpret_cast<intptr_t>(arg));

	try {
		throw Error{thread, 0};
	} catch (const Error &error) {
		lwkt_block("test");
		CHECK(handles(error));
		CHECK_EQ(error.thread, thread);
	}
	has_none();
}

/* They handle theirs in another order than they have begun to. */
void in_any_order()
{
	lwkt_thread_t tds[50];

	for (intptr_t i = 0; i < 50; i++)
		tds[i] = start(waits, reinterpret_cast<void *>(i), 0);
	run_all();
	has_none();
	for (int i = 0; i < 50; i++) {
		CHECK_EQ(lwkt_schedule(tds[i * 7 % 50]), 0);
		if (i % 3 == 0)
			run_all();
	}
	run_all();
}

void on_several_rforks()
{
	enum { MANY = 12 };
	lwkt_thread_t tds[MANY];

	begin_rforks();
	migrates = true;
	for (intptr_t i = 0; i < MANY; i++)
		tds[i] = start_on(rforks[i % (RFORKS + 1)], throws, reinterpret_cast<void *>(i), TDF_JOINABLE);
	for (lwkt_thread_t td : tds)
		CHECK_EQ(lwkt_join(td), 0);
	end_rforks();
	migrates = false;
	has_none();
}

} // namespace

int main()
{
	ON_RFORK(on_one_rfork);
	ON_RFORK(in_any_order);
	ON_RFORK(on_several_rforks);
	return 0;
}
