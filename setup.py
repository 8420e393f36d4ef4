"""What is installed: the four floors of the house and nothing of the tests."""

from setuptools import find_namespace_packages, setup

FLOORS = ("schemas", "transforms", "pipelines", "runners")

setup(packages=[p for floor in FLOORS for p in (floor, *find_namespace_packages(floor))])
