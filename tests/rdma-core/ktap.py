#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
In the guest: runs modules of rdma-core's python tests and prints KTAP, with the cause of each skip.

Usage: ktap.py DIRECTORY MODULE... [-- ARGUMENT...], MODULE as test_mr; the arguments are those of
rdma-core's run_tests.py.
"""
import importlib.util
import sys
import unittest


class KtapResult(unittest.TestResult):
    """Prints a line for each test as it ends, and the traceback of a failure before it."""

    def __init__(self):
        super().__init__()
        self.number = self.failed = 0

    def line(self, test, ok, note=''):
        self.number += 1
        self.failed += not ok
        name = test.id().removeprefix('tests.').replace('#', ' ')
        print(f'{"" if ok else "not "}ok {self.number} {name}{note}', flush=True)

    def bad(self, test, err):
        for line in self._exc_info_to_string(err, test).splitlines():
            print(f'# {line}')
        self.line(test, False)

    def addSuccess(self, test):
        self.line(test, True)

    def addSkip(self, test, reason):
        self.line(test, True, f' # SKIP {" ".join(reason.split())}')

    def addFailure(self, test, err):
        self.bad(test, err)

    def addError(self, test, err):
        self.bad(test, err)

    def addSubTest(self, test, subtest, err):
        if err:
            self.bad(subtest, err)

    def addExpectedFailure(self, test, err):
        self.line(test, True)

    def addUnexpectedSuccess(self, test):
        self.line(test, False)


def main():
    words = sys.argv[1:]
    end = words.index('--') if '--' in words else len(words)
    directory, modules = words[0], words[1:end]
    sys.argv[1:] = words[end + 1:]
    # The directory is the package 'tests', whatever its name, and its modules know each other's names.
    sys.path.insert(0, directory)
    parser = importlib.import_module('args_parser').parser
    parser.parse_args()
    spec = importlib.util.spec_from_file_location('tests', f'{directory}/__init__.py')
    tests = importlib.util.module_from_spec(spec)
    sys.modules['tests'] = tests
    spec.loader.exec_module(tests)
    suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromModule(sys.modules[f'tests.{module}'])
                               for module in modules)
    print(f'TAP version 13\n1..{suite.countTestCases()}', flush=True)
    result = KtapResult()
    suite.run(result)
    return result.failed > 0


sys.exit(main())
