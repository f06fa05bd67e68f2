import { ActionIcon, Menu } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import type { RunData } from '../../state/run.ts';
import { allTokens, textOf } from '../../state/tokens.ts';
import { useStudio } from '../studioContext.ts';
import { saveText, toCsv } from '../../ui/save.ts';

/** Saves the run as text, or its tokens with their probabilities as a table. */
export function ExportMenu() {
  const { generation } = useStudio();
  const save = (name: string, type: string, of: (run: RunData) => string): void => {
    const state = generation.store.getState();
    if (state.kind !== 'idle') saveText(name, type, of(state.run));
  };
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <ActionIcon aria-label="Save the run">
          <IconDownload size={16} stroke={1.5} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => save('output.txt', 'text/plain', (run) => textOf(run.blocks))}>
          Text
        </Menu.Item>
        <Menu.Item onClick={() => save('tokens.csv', 'text/csv', csvOf)}>Tokens as CSV</Menu.Item>
        <Menu.Item onClick={() => save('run.json', 'application/json', jsonOf)}>
          Run as JSON
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

const csvOf = ({ blocks }: RunData): string =>
  toCsv(
    ['index', 'id', 'text', 'logprob', 'ms'],
    allTokens(blocks).map(({ id, text, logprob, ms }, index) => [index, id, text, logprob, ms]),
  );

function jsonOf({ request, seed, promptTokens, contextLength, blocks }: RunData): string {
  const tokens = allTokens(blocks);
  return JSON.stringify({ request, seed, promptTokens, contextLength, tokens }, null, 2);
}
