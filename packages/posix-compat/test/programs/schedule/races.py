"""races.py - known races of threads in Python: `races.py NAME` ends with 1, or in a deadlock, in some orders of its threads; `races.py NAME mended` in none.

Python's threads take turns at calls and at the beginnings of functions and of a loop's rounds: that one statement is several steps shows where a function is called in it.
"""
import contextlib
import sys
import threading

mended = len(sys.argv) > 2
mutex, other = threading.Lock(), threading.Lock()


def together(*works):
    """All are there before any begins."""
    barrier = threading.Barrier(len(works))

    def begin(work):
        barrier.wait()
        work()

    threads = [threading.Thread(target=begin, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def if_mended(lock):
    return lock if mended else contextlib.nullcontext()


def successor(n):
    return n + 1


def lost_update():
    """The number is read, and written later."""
    number = 0

    def add():
        nonlocal number
        for _ in range(30):
            with if_mended(mutex):
                number = successor(number)

    together(add, add)
    return number == 60


def order_violation():
    """What a thread uses is set while it runs."""
    name = "hello" if mended else None
    length = 0

    def measure():
        nonlocal length
        length = len(name) if name else 0

    def set_name():
        nonlocal name
        name = "".join(["hel", "lo"])

    together(measure, set_name)
    return length == 5


def abba_deadlock():
    number = 0

    def both(first, second):
        nonlocal number
        for _ in range(20):
            with first:
                with second:
                    number = successor(number)

    together(lambda: both(mutex, other), lambda: both(mutex, other) if mended else both(other, mutex))
    return number == 40


class Mailbox:
    """Whether it is empty is looked at before the lock is taken to wait for what comes."""

    def __init__(self):
        self.letters = []
        self.has_come = threading.Condition()

    def put(self, letter):
        with if_mended(self.has_come):
            self.letters.append(letter)
        with self.has_come:
            self.has_come.notify()

    def take(self):
        if mended:
            with self.has_come:
                self.has_come.wait_for(lambda: self.letters)
        elif len(self.letters) == 0:
            with self.has_come:
                self.has_come.wait()
        return self.letters.pop()


def lost_wake_up():
    """A question and its answer, again and again."""
    questions, answers = Mailbox(), Mailbox()
    wrong = False

    def ask():
        nonlocal wrong
        for n in range(10):
            questions.put(n)
            wrong = wrong or answers.take() != successor(n)

    def answer():
        for _ in range(10):
            answers.put(successor(questions.take()))

    together(ask, answer)
    return not wrong


def check_then_act():
    balances = [100] * 10

    def look(account):
        with mutex:
            return balances[account]

    def withdraw(account):
        with if_mended(other):
            if look(account) < 80:
                return
            with mutex:
                balances[account] -= 80

    def withdraw_from_all():
        for account in range(len(balances)):
            withdraw(account)

    together(withdraw_from_all, withdraw_from_all)
    return min(balances) >= 0


class Lazy:
    """The object is there before it is made."""

    def __init__(self, n):
        self.n = n
        self.object = None
        self.mutex = threading.Lock()

    def get(self):
        if self.object is None:
            with self.mutex:
                if self.object is None:
                    self.make()
        return self.object

    def make(self):
        made = {}
        if mended:
            made["value"] = successor(self.n)
        self.object = made
        made["value"] = successor(self.n)


def double_checked_lock():
    things = [Lazy(n) for n in range(20)]
    unmade = False

    def use():
        nonlocal unmade
        for thing in things:
            if thing.get().get("value") != successor(thing.n):
                unmade = True

    together(use, use)
    return not unmade


races = {race.__name__.replace("_", "-"): race for race in (lost_update, order_violation, abba_deadlock, lost_wake_up, check_then_act, double_checked_lock)}
sys.exit(0 if races[sys.argv[1]]() else 1)
