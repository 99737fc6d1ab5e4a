"""Leaves its methods out."""

import sparsebench as sb
import numpy as np


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        pass
