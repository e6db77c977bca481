import { describe, expect, test } from 'vitest';
import { textFile, type SourceTree } from '../kernel/source-tree.ts';
import { BuildFailure } from './language.ts';
import { basePython, pythonDependencies } from './python-requirements.ts';

function source(files: Readonly<Record<string, string>>): SourceTree {
  return new Map(Object.entries(files).map(([path, content]) => [path, textFile(content)]));
}

const OWN = ['--requirement', 'requirements.txt'];

describe('the dependency step', () => {
  test('sees requirement files and what they include, and nothing else', () => {
    const { files } = pythonDependencies(
      source({
        'requirements.txt': '-r deploy/more.txt\n-c constraints.txt',
        'deploy/more.txt': '--requirement=other.txt\n',
        'deploy/other.txt': 'flask',
        'constraints.txt': 'flask<4',
        'unused.txt': 'x',
        'main.py': 'secret',
      }),
    );
    expect([...files.keys()].toSorted()).toEqual([
      'constraints.txt',
      'deploy/more.txt',
      'deploy/other.txt',
      'requirements.txt',
    ]);
  });

  test.each([
    ['no requirements.txt', {}],
    ['an empty one', { 'requirements.txt': '# nothing\n\n' }],
    ['the template', { 'requirements.txt': 'functions-framework==3.*  # the base\n' }],
  ])('is the base for %s', (_what, files) => {
    expect(pythonDependencies(source(files))).toEqual(basePython());
  });

  test.each(['functions_framework>=3', 'Functions-Framework', 'functions.framework==3.8.0'])(
    'leaves the framework to the author who names it: %s',
    (line) => {
      expect(pythonDependencies(source({ 'requirements.txt': `flask\n${line}` })).pipRuns).toEqual([OWN]);
    },
  );

  test('adds the framework where it is missing', () => {
    const { pipRuns } = pythonDependencies(source({ 'requirements.txt': 'functions-framework-extras\n' }));
    expect(pipRuns).toEqual([[...OWN, 'functions-framework==3.*']]);
  });

  test('honours hashes, and keeps the framework out of a locked set', () => {
    const { pipRuns } = pythonDependencies(source({ 'requirements.txt': 'a==1 \\\n  --hash=sha256:00\n' }));
    expect(pipRuns).toEqual([[...OWN, '--require-hashes'], ['functions-framework==3.*']]);
  });

  test('refuses an include that was not uploaded', () => {
    expect(() => pythonDependencies(source({ 'requirements.txt': '-r ../../etc/passwd' }))).toThrow(
      BuildFailure,
    );
  });

  test('ends when files include each other', () => {
    const { files } = pythonDependencies(
      source({ 'requirements.txt': '-r a.txt', 'a.txt': '-r requirements.txt\nb' }),
    );
    expect(files.size).toBe(2);
  });
});
