/*
 * fcontext.cpp - Boost.Context's raw jump between two stacks: nanoseconds for one. What Boost's coroutines and fibers stand on.
 */
#include <boost/context/detail/fcontext.hpp>
#include <boost/context/fixedsize_stack.hpp>

#include "sample.h"

using boost::context::detail::fcontext_t;
using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

static const long SWITCHES = 4000000;
static fcontext_t other;

static void bounce(transfer_t from)
{
	for (;;)
		from = jump_fcontext(from.fctx, nullptr);
}

static void stretch()
{
	fcontext_t to = other;

	for (long i = 0; i < SWITCHES / 2; i++)
		to = jump_fcontext(to, nullptr).fctx;
	other = to;
}

int main()
{
	auto stack = boost::context::fixedsize_stack().allocate();

	other = make_fcontext(stack.sp, stack.size, bounce);
	sample(SWITCHES, stretch);
}
