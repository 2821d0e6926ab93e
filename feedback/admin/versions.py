"""Versions in the admin as `classifier` has them, with problems in the reader's language.

How to say again what was said in English is known here, and not to `classifier`.
"""

from django.contrib import admin

from classifier.admin import ModelVersionAdmin
from classifier.models import ModelVersion
from feedback.retelling import retell

admin.site.unregister(ModelVersion)


@admin.register(ModelVersion)
class RetoldModelVersionAdmin(ModelVersionAdmin):
    def in_words(self, problem: Exception) -> str:
        return retell(str(problem))
