import io

from django.core.management.base import OutputWrapper

from classifier.terminal import Pace, Terminal


class Tty(io.StringIO):
    def isatty(self):
        return True


def show(out):
    screen = Terminal(OutputWrapper(out))
    screen.step(0.5, "Fitting heads")
    screen.say("Fitted.")
    screen.close()
    return out.getvalue()


def test_a_terminal_has_one_line_that_moves():
    said = show(Tty())

    assert " 50%  Fitting heads" in said
    assert "Fitting heads\n" not in said
    assert "Fitted.\n" in said
    assert said.endswith("\r\x1b[K")


def test_a_pipe_gets_the_lines_alone():
    assert show(io.StringIO()) == "Fitted.\n"


def test_a_pace_says_how_much_is_left_and_is_not_looked_at_all_the_time():
    out, times = Tty(), iter([0.0, 2.0, 2.1, 10.0])
    pace = Pace(Terminal(OutputWrapper(out)), 100, clock=lambda: next(times))

    for photos in (11, 12, 50):  # ten were there already
        pace.look(photos)

    first, second = out.getvalue().split("\r\x1b[K")[1:]
    assert "11 of 100 photos, 0 a second" in first
    assert "50 of 100 photos, 4 a second, 0:00:12 left" in second


def test_a_pace_of_nobody_knows_how_many_has_no_bar():
    out, times = Tty(), iter([0.0, 2.0])
    pace = Pace(Terminal(OutputWrapper(out)), None, clock=lambda: next(times))

    pace.look(8)

    assert out.getvalue() == "\r\x1b[K8 photos, 0 a second"
