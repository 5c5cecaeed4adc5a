"""The judge of how good a swapped face looks: ``python -m tools.quality --out DIR``.

Renders clips x personas with the code as it is, measures expression, identity, steadiness, seam, occlusion, light and speed,
and writes ``quality.csv``, contact sheets and ``report.html``; with ``--against`` a comparison with an earlier run.
"""
