"""Convolutional arithmetic circuits."""
