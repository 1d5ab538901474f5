/*
 * boost-fiber-switch.cpp - two fibers of Boost.Fiber that give way to each other: nanoseconds for one this_fiber::yield. Its dispatcher is
 * a fiber too and takes its turn with them; that is its way to schedule, so it is not left out.
 */
#include <boost/fiber/all.hpp>

#include "sample.h"

static const long SWITCHES = 400000;

static void turns()
{
	for (long i = 0; i < SWITCHES / 2; i++)
		boost::this_fiber::yield();
}

static void stretch()
{
	boost::fibers::fiber one(turns), two(turns);

	one.join();
	two.join();
}

int main()
{
	sample(SWITCHES, stretch);
}
