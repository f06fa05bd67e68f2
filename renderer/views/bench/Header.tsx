import { Button, Tooltip } from '@mantine/core';
import { IconPlayerPlayFilled } from '@tabler/icons-react';
import { useState } from 'react';
import { canStart } from '../../state/bench.ts';
import { deviceName } from '../../state/devices.ts';
import { keyNames } from '../../state/shortcuts.ts';
import { formatCount } from '../../ui/format.ts';
import { ViewHead } from '../../ui/ViewHead.tsx';
import { usePart, useStudio } from '../studioContext.ts';

/** The machine that is measured on, and the button that does it. */
export function Header() {
  const studio = useStudio();
  const { bench, models, connection, settings, host } = studio;
  const known = usePart(models.store, (state) => state.models) ?? [];
  const isReady = usePart(bench.store, (state) => canStart(state, known));
  const count = usePart(bench.store, ({ setup }) => setup.models.length);
  const isConnected = usePart(connection, (state) => state.connection.kind === 'ready');
  const info = usePart(settings.store, (state) => state.info);
  const [isAsking, setAsking] = useState(false);
  const run = async (): Promise<void> => {
    setAsking(true);
    await studio.runBench();
    setAsking(false);
  };
  const keys = keyNames({ key: 'Enter', mod: true }, host.mac).join(' ');
  return (
    <ViewHead
      title="Bench"
      facts={
        info
          ? [
              info.cpu,
              `${formatCount(info.threads)} of ${formatCount(info.cores)} threads`,
              deviceName(info.device),
              `onnxruntime ${info.onnxruntime}`,
            ]
          : []
      }
      action={
        <Tooltip label={isReady ? `Queue it (${keys})` : 'The set-up is not complete yet'}>
          <Button
            leftSection={<IconPlayerPlayFilled size={14} aria-hidden="true" />}
            disabled={!isReady || !isConnected || isAsking}
            onClick={() => void run()}
          >
            {count > 1 ? `Measure ${formatCount(count)} models` : 'Measure'}
          </Button>
        </Tooltip>
      }
    />
  );
}
