// Tasks by number. Numbers come in runs, so pages of them are quicker and smaller than a hash map.
import type { Task } from "./task.js";

const PAGE = 256;

export class Page {
  readonly tasks: (Task | undefined)[] = new Array<Task | undefined>(PAGE).fill(undefined);
  used = 0;
}

export class TaskTable {
  private readonly pages = new Map<number, Page>();
  private lastNumber = -1;
  private lastPage: Page | undefined;
  /** Kept for the next, since a page may fill and empty with every task. */
  private spare: Page | undefined;
  size = 0;

  get(id: number): Task | undefined {
    const number = Math.floor(id / PAGE);
    return this.page(number)?.tasks[id - number * PAGE];
  }

  /** The number must be free. */
  add(task: Task): void {
    const number = Math.floor(task.id / PAGE);
    let page = this.page(number);
    if (page === undefined) {
      page = this.spare ?? new Page();
      this.spare = undefined;
      this.pages.set(number, page);
      this.lastPage = page;
      this.lastNumber = number;
    }
    page.tasks[task.id - number * PAGE] = task;
    page.used++;
    this.size++;
  }

  /** Whether it was there. */
  delete(task: Task): boolean {
    const number = Math.floor(task.id / PAGE);
    const page = this.page(number);
    const at = task.id - number * PAGE;
    if (page?.tasks[at] !== task) return false;
    page.tasks[at] = undefined;
    this.size--;
    if (--page.used > 0) return true;
    this.pages.delete(number);
    this.spare = page;
    this.lastPage = undefined;
    this.lastNumber = -1;
    return true;
  }

  private page(number: number): Page | undefined {
    if (number !== this.lastNumber) {
      this.lastPage = this.pages.get(number);
      this.lastNumber = number;
    }
    return this.lastPage;
  }
}
