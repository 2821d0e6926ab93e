import io

from django.core.management.base import OutputWrapper

from classifier.terminal import Terminal


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
