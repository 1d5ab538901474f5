/*
 * top.cc - what is known of one userthread in figures, and the count of CPU time (../src/watch/cputime.c): for JavaScript's src/top/.
 *
 * While CPU time is counted the loop's handles have callbacks that leave the sleep in the poll out (loop.cc).
 */
#include "cpu.h"
#include "functions.h"

namespace libcr {

static lwkt_thread_t looked_at(Args args) {
  return args[0].As<v8::Int32>()->Value() < 0 ? lwkt_thread0() : thread_of(current_cpu(), args);
}

/**
 * figures(slot) -> [times it was switched to, CPU time in ns, bytes of stack, whether it is on the run queue]; a slot below 0: of thread0. undefined where
 * the thread has ended.
 */
void Figures(Args args) {
  v8::Isolate* isolate = args.GetIsolate();
  lwkt_thread_t td = looked_at(args);

  if (!td) return;
  bool js = td->td_resident == &js_resident;
  v8::Local<v8::Value> row[] = {
      v8::Number::New(isolate, static_cast<double>(td->td_nswitches)),
      v8::Number::New(isolate, static_cast<double>(lwkt_cputime(td))),
      v8::Number::New(isolate, static_cast<double>(js ? current_cpu()->stack_sizes[static_cast<size_t>(slot_of(td))] : td->td_stack_size)),
      v8::Boolean::New(isolate, (td->td_flags & TDF_RUNQ) != 0),
  };
  args.GetReturnValue().Set(v8::Array::New(isolate, row, sizeof(row) / sizeof(row[0])));
}

/** stackUsed(slot) -> bytes of its stack that have ever been used; 0 where nobody knows. Three system calls. */
void StackUsed(Args args) {
  lwkt_thread_t td = looked_at(args);

  args.GetReturnValue().Set(td ? static_cast<double>(lwkt_stack_used(td)) : 0.0);
}

/** countCputime(on) -> for how many ns it had been counted before. */
void CountCputime(Args args) {
  bool on = args[0]->IsTrue();

  args.GetReturnValue().Set(static_cast<double>(lwkt_cputime_counted()));
  if (on)
    lwkt_cputime_start();
  else
    lwkt_cputime_stop();
  loop_count(current_cpu(), on);
}

}  // namespace libcr
