/*
 * inbox.cc - the queues between JavaScript CPUs: many senders, one receiver, no lock; and the list of them.
 *
 * A queue is a stack of envelopes that its owner takes as a whole and turns round. The IPI message that says that something has come is sent by
 * whoever finds it empty and unattended: so there is one at most for each time the owner empties it, a ring is never full because a receiver is
 * busy, and a sender never waits. While the owner runs userthreads it attends to its queue: it looks at each wait and at each end of a pass,
 * and nobody tells it.
 *
 * Invariants:
 *  - What push() has accepted is taken by the owner, or deleted by its close().
 *  - Envelopes of one sender arrive in the order of their sending.
 *  - No envelope is overlooked: a sender pushes and looks at `attended` then; the owner clears that, and looks for envelopes then, before it sleeps
 *    (model/inbox.pml has every interleaving of it).
 */
#include <map>
#include <mutex>

#include "../cpu.h"
#include "envelope.h"

namespace libcr {

static Envelope* closed_mark() {
  static Envelope mark;
  return &mark;
}

/** On the receiving rfork, as an IPI function: thread0 has something to do besides running userthreads. */
static void something_has_come(void*) { lwkt_pass_end(); }

bool Inbox::push(Envelope* envelope) {
  Envelope* last = head.load(std::memory_order_relaxed);

  do {
    if (last == closed_mark()) return false;
    envelope->next = last;
  } while (!head.compare_exchange_weak(last, envelope));
  if (last || attended.load()) return true;
  globaldata_t target = gd.load();  // after the envelope is in: enter() says first whom to wake, and looks then
  if (target) lwkt_send_ipiq(target, something_has_come, nullptr, nullptr);  // ESRCH: it is closing, and deletes what it finds
  return true;
}

bool Inbox::open() const { return head.load(std::memory_order_relaxed) != closed_mark(); }

bool Inbox::leave() {
  if (!attended.load(std::memory_order_relaxed)) return true;
  attended.exchange(false);
  return !head.load() || !open();
}

Envelope* Inbox::take() {
  Envelope* newest = open() ? head.exchange(nullptr) : nullptr;
  Envelope* oldest = nullptr;

  while (newest) {
    Envelope* next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  return oldest;
}

void Inbox::close() {
  Envelope* envelope = head.exchange(closed_mark());

  while (envelope && envelope != closed_mark()) {
    Envelope* next = envelope->next;
    delete envelope;
    envelope = next;
  }
}

namespace {

struct List {
  std::mutex lock;
  std::map<uint32_t, std::shared_ptr<Inbox>> inboxes;  // by id
  uint32_t last_id = 0;
};

List& list() {
  static List* const it = new List();  // never destroyed: Workers may outlast the end of static objects
  return *it;
}

}  // namespace

std::shared_ptr<Inbox> register_inbox(const std::string& name) {
  std::lock_guard<std::mutex> guard(list().lock);
  auto inbox = std::make_shared<Inbox>(++list().last_id, name);

  list().inboxes.emplace(inbox->id, inbox);
  return inbox;
}

/** Tells all that exist. */
static void announce_end(uint32_t id) {
  for (const std::shared_ptr<Inbox>& other : all_inboxes()) {
    auto notice = std::make_unique<Envelope>();
    notice->kind = kEnded;
    notice->from = id;
    if (other->push(notice.get())) notice.release();
  }
}

void end_inbox(const std::shared_ptr<Inbox>& inbox) {
  inbox->close();
  {
    std::lock_guard<std::mutex> guard(list().lock);
    if (list().inboxes.erase(inbox->id) == 0) return;
  }
  announce_end(inbox->id);
}

std::shared_ptr<Inbox> find_inbox(uint32_t id) {
  std::lock_guard<std::mutex> guard(list().lock);
  auto found = list().inboxes.find(id);

  return found == list().inboxes.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Inbox>> all_inboxes() {
  std::lock_guard<std::mutex> guard(list().lock);
  std::vector<std::shared_ptr<Inbox>> all;

  for (const auto& entry : list().inboxes) all.push_back(entry.second);
  return all;
}

}  // namespace libcr
