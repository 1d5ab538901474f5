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


def lost_wake_up():
    """A flag is looked at before the lock is taken to wait for it."""
    condition = threading.Condition(mutex)
    ready = False

    def wait():
        if mended:
            with condition:
                condition.wait_for(lambda: ready)
        elif not ready:
            with condition:
                condition.wait()

    def wake():
        nonlocal ready
        with if_mended(other):
            ready = True
        with condition:
            condition.notify()

    together(wait, wake)
    return True


def check_then_act():
    balance = 100

    def look():
        with mutex:
            return balance

    def withdraw():
        nonlocal balance
        with if_mended(other):
            if look() < 80:
                return
            with mutex:
                balance -= 80

    together(withdraw, withdraw)
    return balance >= 0


class Thing:
    value = None


def double_checked_lock():
    """The object is there before it is made."""
    only = None
    unmade = False

    def make():
        thing = Thing()
        if mended:
            thing.value = successor(41)
        return thing

    def use():
        nonlocal only, unmade
        if only is None:
            with mutex:
                if only is None:
                    only = make()
                    only.value = successor(41)
        if only.value != 42:
            unmade = True

    together(use, use)
    return not unmade


races = {race.__name__.replace("_", "-"): race for race in (lost_update, order_violation, abba_deadlock, lost_wake_up, check_then_act, double_checked_lock)}
sys.exit(0 if races[sys.argv[1]]() else 1)
