import { templateFiles } from '../testkit/zip.ts';
import {
  type Bench,
  dataDirFor,
  FIRST_DATA_DIR,
  type Measurement,
  type Running,
  withPlatform,
} from './bench.ts';
import type { Row } from './report.ts';
import { median } from './statistics.ts';

type Files = Record<string, Uint8Array>;

/** How a runtime's template comes to need one package that the framework does not bring. */
const WITH_DEPENDENCY: Readonly<Record<string, (files: Files) => Files>> = {
  nodejs24: (files) =>
    edited(files, 'package.json', '"dependencies": {', '"dependencies": { "dayjs": "1.11.13",'),
  python312: (files) =>
    edited(files, 'requirements.txt', 'functions-framework', 'humanize==4.9.0\nfunctions-framework'),
  go122: (files) => edited(files, 'function.go', 'import (', 'import (\n\t_ "github.com/rs/xid"\n'),
  java21: (files) =>
    edited(
      files,
      'pom.xml',
      '<dependencies>',
      `<dependencies>
    <dependency>
      <groupId>org.apache.commons</groupId>
      <artifactId>commons-lang3</artifactId>
      <version>3.17.0</version>
    </dependency>`,
    ),
};

/** From the upload of a zip to the first answer. The first deploys of all also download. */
export const measureDeploy: Measurement = (bench) =>
  withPlatform(dataDirFor(bench, FIRST_DATA_DIR), {}, async (running) => {
    const rows: Row[] = [];
    for (const [runtime, withDependency] of Object.entries(WITH_DEPENDENCY)) {
      if (bench.isQuick && runtime !== 'nodejs24') continue;
      rows.push(...(await deployRows(bench, running, { runtime, withDependency })));
    }
    return rows;
  });

async function deployRows(
  bench: Bench,
  { client }: Running,
  { runtime, withDependency }: { runtime: string; withDependency: (files: Files) => Files },
): Promise<Row[]> {
  bench.note(`deploy, ${runtime}`);
  const rounds = bench.isQuick ? 3 : 5;
  const token = await client.token();
  let count = 0;

  async function secondsToFirstAnswer(change: (files: Files) => Files): Promise<number> {
    count++;
    const template = templateFiles(runtime, { shortname: `deploy-${runtime}-${count}` });
    const files = change(template);
    const from = performance.now();
    const deployment = await client.deploy('deploy', files);
    const response = await client.call(deployment, '?name=foo', { headers: { jfwt: token } });
    await response.text();
    if (response.status !== 200) throw new Error(`${runtime} answered ${response.status}`);
    return (performance.now() - from) / 1000;
  }
  async function repeated(change: (files: Files) => Files): Promise<number[]> {
    const seconds: number[] = [];
    for (let round = 0; round < rounds; round++) seconds.push(await secondsToFirstAnswer(change));
    return seconds;
  }

  const unchanged = (files: Files): Files => files;
  const first = await secondsToFirstAnswer(unchanged);
  const bare = await repeated(unchanged);
  const installing = await secondsToFirstAnswer(withDependency);
  const cached = await repeated(withDependency);
  return [
    deployRow(`${runtime}, no dependencies`, bare, 1),
    deployRow(`${runtime}, dependencies cached`, cached, 10),
    deployRow(`${runtime}, dependencies downloaded`, [installing]),
    deployRow(`${runtime}, first ever`, [first]),
  ];
}

function deployRow(what: string, seconds: readonly number[], goalSeconds?: number): Row {
  return {
    what: `Deploy, ${what}`,
    unit: 's',
    measured: median(seconds),
    ...(goalSeconds !== undefined && {
      goal: { atMost: goalSeconds },
      detail: `slowest of ${seconds.length}: ${Math.max(...seconds).toFixed(2)} s`,
    }),
  };
}

function edited(files: Files, path: string, from: string, to: string): Files {
  const text = Buffer.from(files[path] ?? '').toString();
  if (!text.includes(from)) throw new Error(`the template's ${path} has no ${from}`);
  return { ...files, [path]: Buffer.from(text.replace(from, to)) };
}
