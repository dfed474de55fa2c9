# SPDX-License-Identifier: GPL-2.0
"""Run rdma-core's python tests and write a line for each: verdict, name, cause; tab-separated.

Arguments: directory of the tests, file for the lines, then those of rdma-core's run_tests.py.
"""
import importlib.util
import os
import sys
import unittest


class Lines(unittest.TestResult):
    """A result that says each verdict as it comes, so that a crash loses none."""

    def __init__(self, lines):
        super().__init__()
        self.lines = lines
        self.bad = set()

    def line(self, verdict, test, cause=''):
        name = test.id().removeprefix('tests.')
        print(verdict, name, ' '.join(cause.split()), sep='\t', file=self.lines, flush=True)

    def startTest(self, test):
        super().startTest(test)
        print(test.id(), flush=True)

    def addSuccess(self, test):
        if test.id() not in self.bad:
            self.line('pass', test)

    def bad_end(self, test, err):
        # The parts of a test with subtests are one case.
        if test.id() not in self.bad:
            self.bad.add(test.id())
            self.line('fail', test, f'{err[0].__name__}: {err[1]}')

    def addError(self, test, err):
        super().addError(test, err)
        self.bad_end(test, err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.bad_end(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.bad_end(test, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line('skip', test, reason)


def main():
    directory, lines = sys.argv[1:3]
    del sys.argv[1:3]
    sys.path.insert(0, directory)
    from args_parser import parser
    parser.parse_args()
    spec = importlib.util.spec_from_file_location(
        'tests', os.path.join(directory, '__init__.py'), submodule_search_locations=[directory])
    tests = importlib.util.module_from_spec(spec)
    sys.modules['tests'] = tests
    spec.loader.exec_module(tests)
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f'*{word}*' for word in sys.argv[1:]] or None
    with open(lines, 'w', encoding='utf-8') as file:
        loader.loadTestsFromModule(tests).run(Lines(file))


main()
