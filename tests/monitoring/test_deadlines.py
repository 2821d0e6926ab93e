import threading

from monitoring.deadlines import Patient


def test_an_answer_in_time_is_given():
    assert Patient(lambda: 42, 5.0).answer() == 42


def test_two_who_ask_at_once_get_the_same_answer():
    go_on, started = threading.Event(), threading.Event()

    def think():
        started.set()
        go_on.wait(60)
        return 42

    patient, answers = Patient(think, 60.0), []
    both = [threading.Thread(target=lambda: answers.append(patient.answer())) for _ in range(2)]
    both[0].start()
    started.wait(60)
    both[1].start()
    go_on.set()
    for each in both:
        each.join()

    assert answers == [42, 42]


def test_a_question_that_hangs_is_given_up_and_not_asked_a_second_time():
    asked, go_on = [], threading.Event()

    def hang():
        asked.append(1)
        go_on.wait(60)
        return 42

    patient = Patient(hang, 0.05)

    assert [patient.answer(), patient.answer()] == [None, None]
    assert len(asked) == 1

    go_on.set()
    patient._asking.join()
    patient._seconds = 5.0
    assert patient.answer() == 42
