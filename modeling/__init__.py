"""Numbers: CLAP, losses, training, metrics, agreement and the generated world. Pure Python, no Django, Celery or
database.

Who may import whom: `worker` imports `modeling`; `modeling` imports nothing of Earmark's. The modules `metrics`,
`agreement`, `bradley_terry`, `splits`, `targets`, `comparisons`, `config`, `rows`, `snapshot`, `results` and
`synthetic` need numpy and scipy alone and may load in the web process; every other module may load torch and belongs in
a worker or on the command line (`python -m modeling`).
"""
