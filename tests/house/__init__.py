"""Tests of the repository itself: its two rules, its wheel, its files."""
