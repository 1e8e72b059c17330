"""What raters are asked besides ratings: whether they understood the task, and how they listened."""

from django.db import models
from django.db.models import Q

from listening_tests.choices import ListeningDevice, Surroundings
from listening_tests.default_texts import default_text
from listening_tests.models.listening_test import ListeningTest
from listening_tests.models.sessions import Session


class CheckQuestion(models.Model):
    """A question on the instructions, with one right answer; asked before the first sound, with two attempts."""

    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="check_questions")
    prompt = models.CharField(max_length=300, default=default_text("What do you rate in this test?"))
    right_answer = models.CharField(max_length=200, default=default_text("How well the caption matches the sound"))
    wrong_answer = models.CharField(max_length=200, default=default_text("How good the quality of the recording is"))
    other_wrong_answer = models.CharField(max_length=200, blank=True, default=default_text("How much I like the sound"))

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["test", "prompt"], name="check_prompt_once_in_test"),
            models.CheckConstraint(
                condition=~Q(right_answer=models.F("wrong_answer")) & ~Q(right_answer=models.F("other_wrong_answer")),
                name="check_answers_differ",
            ),
        ]

    def __str__(self) -> str:
        return self.prompt


class SurveyQuestion(models.Model):
    """A question of the researcher's own in the questionnaire at the end."""

    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="survey_questions")
    prompt = models.CharField(max_length=300)
    choices = models.TextField(blank=True, help_text="One answer a line to choose from; empty for a free text.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["test", "prompt"], name="survey_prompt_once_in_test"),
        ]

    def __str__(self) -> str:
        return self.prompt


class Questionnaire(models.Model):
    """What a rater answered at the end of a session. Every answer may be left out."""

    session = models.OneToOneField(Session, on_delete=models.CASCADE, related_name="questionnaire")
    device = models.CharField(max_length=20, choices=ListeningDevice, blank=True)
    surroundings = models.CharField(max_length=20, choices=Surroundings, blank=True)
    remarks = models.TextField(max_length=2000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(device__in=["", *ListeningDevice.values]), name="questionnaire_device_known"
            ),
            models.CheckConstraint(
                condition=Q(surroundings__in=["", *Surroundings.values]), name="questionnaire_surroundings_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Questionnaire of {self.session}"


class SurveyAnswer(models.Model):
    """A rater's answer to one of the researcher's own questions."""

    questionnaire = models.ForeignKey(Questionnaire, on_delete=models.CASCADE, related_name="answers")
    question = models.ForeignKey(SurveyQuestion, on_delete=models.PROTECT, related_name="answers")
    text = models.TextField(max_length=2000)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["questionnaire", "question"], name="survey_answer_once"),
        ]

    def __str__(self) -> str:
        return self.text
