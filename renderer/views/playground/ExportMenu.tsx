import { ActionIcon, Menu } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import type { RunData } from '../../state/run.ts';
import { allTokens, textOf } from '../../state/tokens.ts';
import { saveText, toCsv } from '../../ui/save.ts';

/** Saves the run as text, or its tokens with their probabilities as a table. */
export function ExportMenu({ run }: { run: RunData }) {
  const csv = (): string =>
    toCsv(
      ['index', 'id', 'text', 'logprob', 'ms'],
      allTokens(run.blocks).map(({ id, text, logprob, ms }, index) => [
        index,
        id,
        text,
        logprob,
        ms,
      ]),
    );
  const json = (): string => {
    const { request, seed, promptTokens, contextLength, blocks } = run;
    const tokens = allTokens(blocks);
    return JSON.stringify({ request, seed, promptTokens, contextLength, tokens }, null, 2);
  };
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <ActionIcon aria-label="Save the run">
          <IconDownload size={16} stroke={1.5} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => saveText('output.txt', 'text/plain', textOf(run.blocks))}>
          Text
        </Menu.Item>
        <Menu.Item onClick={() => saveText('tokens.csv', 'text/csv', csv())}>
          Tokens as CSV
        </Menu.Item>
        <Menu.Item onClick={() => saveText('run.json', 'application/json', json())}>
          Run as JSON
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
