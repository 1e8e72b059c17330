"""The face of Earmark: settings, urls, the dashboard and the embedded services.

May import worker and listening_tests; holds no domain rule and no arithmetic, and never loads torch.
Nothing imports webapp.
"""
