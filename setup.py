"""What is installed: the four floors of the house and nothing of the tests."""

from setuptools import find_packages, setup

setup(
    packages=find_packages(include=["schemas*", "transforms*", "pipelines*", "runners*"]),
    package_data={"schemas": ["*.csv"]},
)
