/*
 * boost-fiber-create.cpp [pooled] - Boost.Fiber: 1,000 fibers that do next to nothing, then joined, with stacks from malloc or from a pool
 * of its own: nanoseconds for one, from its creation to its end.
 */
#include <memory>
#include <vector>

#include <boost/fiber/all.hpp>

#include "sample.h"

using boost::fibers::fiber;
using boost::fibers::pooled_fixedsize_stack;

static const int BATCH = 1000;
static const int BATCHES = 4;

static std::unique_ptr<pooled_fixedsize_stack> pool;
static long left;

static void run()
{
	--left;
}

static void batch()
{
	std::vector<fiber> fibers;

	fibers.reserve(BATCH);
	left = BATCH;
	for (int i = 0; i < BATCH; i++) {
		if (pool)
			fibers.emplace_back(std::allocator_arg, *pool, run);
		else
			fibers.emplace_back(run);
	}
	for (auto &fiber : fibers)
		fiber.join();
	MUST(left == 0);
}

static void stretch()
{
	for (int i = 0; i < BATCHES; i++)
		batch();
}

int main(int argc, char **)
{
	if (argc > 1)
		pool.reset(new pooled_fixedsize_stack());
	sample(BATCH * BATCHES, stretch);
}
