/** All tools by name. */

import type { ToolName } from '../workbench';
import { boxTool } from './box-tool';
import { eraserTool } from './eraser-tool';
import { handTool } from './hand-tool';
import { lineTool } from './line-tool';
import { penTool } from './pen-tool';
import { selectTool } from './select-tool';
import { textTool } from './text-tool';
import type { Tool } from './tool';

export const TOOLS: Readonly<Record<ToolName, Tool>> = {
  select: selectTool,
  hand: handTool,
  pen: penTool,
  eraser: eraserTool,
  rectangle: boxTool('rectangle'),
  ellipse: boxTool('ellipse'),
  line: lineTool('line'),
  arrow: lineTool('arrow'),
  text: textTool,
  note: boxTool('note'),
};
