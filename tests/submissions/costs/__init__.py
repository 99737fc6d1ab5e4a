"""What shipped submissions must cost per input, worked out by hand: a module for each, named as it is.

A module has one of two functions:

- ``cost(settings, sizes)``, where sizes alone decide it;
- ``cost_of(settings, sizes, params, x)``, where the fitted model or the input decides it too: ``params`` are
  the fitted arrays, ``x`` is one input with its axes, without one of rows. It follows the input through the
  model in NumPy or Python, and counts.

Both give what `submissions.sizes.columns` gives. ``ROWS`` says how many training rows its model is fitted to
in tests: 512 unless it says so.
"""
