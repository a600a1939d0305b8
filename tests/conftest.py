"""What holds for all tests: no property fails because the machine was busy."""

from hypothesis import settings

settings.register_profile("affidavit", deadline=None)
settings.load_profile("affidavit")
