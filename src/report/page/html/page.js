//<![CDATA[
'use strict';
// The table of tensors and the treemap. Without this, the tables of the page have the numbers.
(() => {
const SVG = 'http://www.w3.org/2000/svg', LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const $ = id => document.getElementById(id);
const make = (name, text, attributes) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const key in attributes || {}) made.setAttribute(key, attributes[key]);
  return made;
};
const draw = (name, attributes) => {
  const made = document.createElementNS(SVG, name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  return made;
};
const count = n => String(n).replace(/\B(?=(\d{3})+$)/g, ',');
const tensors = n => count(n) + (n === 1 ? ' tensor' : ' tensors');
const size = bytes => {
  if (bytes < 1024) return bytes + ' B';
  const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
  let value = bytes / 1024, n = 0;
  while (value >= 1023.95 && n + 1 < units.length) { value /= 1024; n++; }
  return (n === 0 || value >= 100 ? value.toFixed(1) : value.toFixed(2)) + ' ' + units[n];
};

// Selectors, as `ckpt list` takes them.
const ALIAS = {float: 'float32', f32: 'float32', double: 'float64', f64: 'float64', half: 'float16', f16: 'float16', bf16: 'bfloat16', i64: 'int64', i32: 'int32', i16: 'int16', i8: 'int8', u64: 'uint64', u32: 'uint32', u16: 'uint16', u8: 'uint8', str: 'string'};
const ROLES = ['weight', 'average', 'slot', 'optimizer', 'counter', 'string', 'table', 'other'];
const SUFFIX = '/.ATTRIBUTES/VARIABLE_VALUE';
const glob = text => {
  let out = '', depth = 0;
  for (let n = 0; n < text.length; n++) {
    const c = text[n];
    if (c === '*') {
      const two = text[n + 1] === '*', before = n === 0 || text[n - 1] === '/', after = text[n + 2];
      if (two && before && (after === '/' || after === undefined)) {
        if (after === '/') { out += '(?:.*/)?'; n += 2; } else { out += n === 0 ? '.*' : '.+'; n += 1; }
      } else {
        if (two) n++;
        out += '[^/]*';
      }
    } else if (c === '?') out += '[^/]';
    else if (c === '[') {
      const end = text.indexOf(']', n + 2);
      if (end < 0) throw Error('not a glob: ' + text);
      const inner = text.slice(n + 1, end).replace(/\\/g, '\\\\');
      out += '[' + (/^[!^]/.test(inner) ? '^' + inner.slice(1) : inner) + ']';
      n = end;
    } else if (c === '{') { out += '(?:'; depth++; }
    else if (c === '}' && depth > 0) { out += ')'; depth--; }
    else if (c === ',' && depth > 0) out += '|';
    else if (c === '\\' && n + 1 < text.length) out += text[++n].replace(/[^\w\s]/g, '\\$&');
    else out += c.replace(/[.+^$()|{}\]\\]/g, '\\$&');
  }
  if (depth > 0) throw Error('not a glob: ' + text);
  return new RegExp('^' + out + '$', 's');
};
const compared = text => {
  const found = /^(>=|<=|>|<|=)?(.+)$/.exec(text);
  if (!found) return null;
  const how = found[1] || '=';
  return [(a, b) => how === '>=' ? a >= b : how === '<=' ? a <= b : how === '>' ? a > b : how === '<' ? a < b : a === b, found[2]];
};
const bytesOf = text => {
  const found = /^([\d.]+)\s*([a-z]*)$/i.exec(text);
  const power = found && {'': 0, b: 0, k: 1, kb: 1, kib: 1, m: 2, mb: 2, mib: 2, g: 3, gb: 3, gib: 3, t: 4, tb: 4, tib: 4}[found[2].toLowerCase()];
  if (!found || power === undefined || isNaN(found[1])) return null;
  return Math.round(found[1] * 1024 ** power);
};
const parseTerm = text => {
  const at = text.indexOf(':'), kind = at < 0 ? '' : text.slice(0, at), value = text.slice(at + 1);
  if (kind === 'dtype') return ['dtype', row => row.dtype === (ALIAS[value] || value)];
  if (kind === 'role') {
    const role = value.replace(/s$/, '');
    if (!ROLES.includes(role)) throw Error('unknown role ' + value);
    return ['role', row => row.role === role];
  }
  if (kind === 'shard') return ['shard', row => row.shards.includes(value)];
  if (kind === 'size' || kind === 'rank') {
    const [holds, number] = compared(value) || [];
    const wanted = !number ? null : kind === 'size' ? bytesOf(number) : /^\d+$/.test(number) ? +number : null;
    if (wanted === null) throw Error('not a ' + kind + ': ' + value);
    return [kind, kind === 'size' ? row => holds(row.bytes, wanted) : row => row.rank !== null && holds(row.rank, wanted)];
  }
  const names = row => data.object ? [row.name, row.name + SUFFIX] : [row.name];
  const below = scope => row => names(row).some(name => scope === '' || name === scope || name.startsWith(scope + '/'));
  if (!/[*?[{\\]/.test(text)) return ['name', below(text.replace(/\/+$/, ''))];
  let pattern = null;
  try { pattern = glob(text); } catch (error) { if (!text.includes('\\')) throw error; }
  const literal = text.includes('\\') ? below(text.replace(/\/+$/, '')) : () => false;
  return ['name', row => (pattern && names(row).some(name => pattern.test(name))) || literal(row)];
};
const selector = text => {
  const words = text.match(/'[^']*'|"[^"]*"|\S+/g) || [];
  const terms = words.map(word => {
    const plain = word.replace(/^(['"])(.*)\1$/, '$2'), no = plain.startsWith('!');
    const rest = (no ? plain.slice(1) : plain).replace(/^(['"])(.*)\1$/, '$2');
    const [kind, holds] = parseTerm(rest);
    return {no, kind, holds};
  });
  return row => {
    if (terms.some(term => term.no && term.holds(row))) return false;
    for (const kind of ['name', 'dtype', 'role', 'shard']) {
      const of = terms.filter(term => !term.no && term.kind === kind);
      if (of.length && !of.some(term => term.holds(row))) return false;
    }
    return terms.every(term => term.no || !['size', 'rank'].includes(term.kind) || term.holds(row));
  };
};

// The tensors.
const data = JSON.parse($('data').textContent);
const rows = [];
if (data) {
  let before = '';
  data.rows.forEach(([same, rest, kind, role, bytes, shards], n) => {
    const name = before = before.slice(0, same) + rest, [dtype, shape, elements, usual] = data.kinds[kind];
    const what = data.roles[role], figures = (data.stats && data.stats[n]) || null;
    rows.push({name, dtype, shape, elements, what, role: what.split(' ')[0], bytes: bytes === undefined ? usual : bytes,
      shards: shards ? shards.split(' ') : ['0'], rank: shape === '?' ? null : shape === '()' ? 0 : shape.split('×').length,
      figures, sick: !!figures && (figures[0] === '!' || figures[5] > 0 || figures[6] > 0)});
  });
}
const number = text => text === 'nan' || text === '-' || text === undefined ? -Infinity : text === 'inf' ? Infinity : text === '-inf' ? -Infinity : +text;
const figure = (row, n) => row.figures && row.figures[0] !== '!' ? row.figures[n] : undefined;
const notFinite = row => (figure(row, 5) || 0) + (figure(row, 6) || 0);
const COLUMNS = [
  {name: 'name', key: row => row.name, cell: row => row.name},
  {name: 'dtype', key: row => row.dtype, cell: row => row.dtype},
  {name: 'shape', key: row => row.elements, cell: row => row.shape},
  {name: 'size', n: 1, key: row => row.bytes, cell: row => size(row.bytes)},
  {name: 'role', key: row => row.what, cell: row => row.what},
];
const thousandths = n => n === undefined ? '' : n === 0 ? '0 %' : n === 1000 ? '100 %' : (n / 10).toFixed(1) + ' %';
if (data && data.figures) {
  ['min', 'max', 'mean', 'std'].forEach((name, n) => COLUMNS.push({name, n: 1, key: row => number(figure(row, n)), cell: row => figure(row, n) || ''}));
  COLUMNS.push({name: 'zeros', n: 1, key: row => figure(row, 4) === undefined ? -1 : figure(row, 4), cell: row => thousandths(figure(row, 4))});
  COLUMNS.push({name: 'not finite', n: 1, key: row => row.figures && row.figures[0] === '!' ? Infinity : notFinite(row), cell: row => {
    if (row.figures && row.figures[0] === '!') return 'cannot be read';
    const nan = figure(row, 5), inf = figure(row, 6);
    return [nan ? count(nan) + ' NaN' : '', inf ? count(inf) + ' inf' : ''].filter(Boolean).join(', ') || (row.figures ? '0' : '');
  }});
  COLUMNS.push({name: 'histogram', curve: 7, words: row => 'histogram from ' + figure(row, 0) + ' to ' + figure(row, 1)});
  COLUMNS.push({name: 'along axis 0', curve: 8, words: () => 'root mean square along the first axis'});
}
const curve = (letters, words) => {
  const wide = letters.length || 1, picture = draw('svg', {viewBox: '0 0 ' + wide + ' 63', preserveAspectRatio: 'none', role: 'img', 'aria-label': words, class: 'curve'});
  let path = 'M0 63';
  [...letters].forEach((letter, n) => { path += 'V' + (63 - Math.max(0, LETTERS.indexOf(letter))) + 'H' + (n + 1); });
  picture.append(draw('path', {d: path + 'V63z'}));
  const title = draw('title', {});
  title.textContent = words;
  picture.prepend(title);
  return picture;
};

const STEP = 200;
let sort = {column: COLUMNS[3], down: true}, shown = STEP, found = rows, open = new Set(), takes = () => true;
const by = (key, down) => (a, b) => {
  const x = key(a), y = key(b);
  const order = x < y ? -1 : x > y ? 1 : 0;
  return order * (down ? -1 : 1) || (a.name < b.name ? -1 : 1);
};
// Scopes of some rows at a depth, with sums.
const folded = (of, path, depth, out) => {
  const scopes = new Map(), own = [];
  for (const row of of) {
    const at = row.name.indexOf('/', path.length);
    if (at < 0) { own.push(row); continue; }
    const scope = row.name.slice(0, at + 1);
    if (!scopes.has(scope)) scopes.set(scope, []);
    scopes.get(scope).push(row);
  }
  const groups = [...scopes].map(([scope, inner]) => ({name: scope, scope, inner, depth, dtype: '', shape: tensors(inner.length), elements: inner.reduce((n, row) => n + row.elements, 0), what: [...new Set(inner.map(row => row.what))].sort().join(', '), bytes: inner.reduce((n, row) => n + row.bytes, 0), sick: inner.some(row => row.sick), figures: null}));
  for (const row of [...groups, ...own.map(row => ({...row, depth}))].sort(by(sort.column.key || (row => row.name), sort.down))) {
    out.push(row);
    if (row.scope && open.has(row.scope)) folded(row.inner, row.scope, depth + 1, out);
  }
  return out;
};
const body = make('tbody');
const heads = COLUMNS.map(column => {
  const head = make('th', undefined, {scope: 'col'});
  if (column.n) head.className = 'n';
  if (!column.key) { head.textContent = column.name; return head; }
  const button = make('button', column.name, {type: 'button'});
  button.addEventListener('click', () => {
    sort = {column, down: sort.column === column ? !sort.down : !!column.n || column.name === 'shape'};
    render();
  });
  head.append(button);
  return head;
});
const line = row => {
  const made = make('tr');
  if (row.sick) made.className = 'sick';
  COLUMNS.forEach((column, n) => {
    if (n === 0) {
      const head = make('th', undefined, {scope: 'row', class: 'd' + Math.min(row.depth || 0, 5)});
      if (row.scope) {
        const is = open.has(row.scope), button = make('button', (is ? '▾ ' : '▸ ') + row.name, {type: 'button', 'aria-expanded': is, 'data-scope': row.scope});
        button.addEventListener('click', () => {
          if (is) open.delete(row.scope); else open.add(row.scope);
          render();
          const again = [...body.querySelectorAll('button')].find(other => other.dataset.scope === row.scope);
          if (again) again.focus();
        });
        head.append(button);
      } else head.textContent = row.name;
      return made.append(head);
    }
    const cell = make('td');
    if (column.n) cell.className = 'n';
    if (column.curve) {
      const letters = figure(row, column.curve);
      if (letters) cell.append(curve(letters, column.words(row)));
    } else cell.textContent = column.cell(row);
    made.append(cell);
  });
  return made;
};
const render = () => {
  const all = $('fold').value === '1' ? folded(found, '', 0, []) : [...found].sort(by(sort.column.key, sort.down));
  body.replaceChildren(...all.slice(0, shown).map(line));
  heads.forEach((head, n) => {
    if (COLUMNS[n] === sort.column) head.setAttribute('aria-sort', sort.down ? 'descending' : 'ascending');
    else head.removeAttribute('aria-sort');
    const button = head.querySelector('button');
    if (button) button.textContent = COLUMNS[n].name + (COLUMNS[n] === sort.column ? (sort.down ? ' ▾' : ' ▴') : '');
  });
  $('more').parentNode.hidden = all.length <= shown;
  $('more').textContent = 'Show ' + count(Math.min(STEP * 5, all.length - shown)) + ' more of ' + count(all.length);
  const bytes = found.reduce((n, row) => n + row.bytes, 0);
  $('told').textContent = count(found.length) + ' of ' + tensors(data.all) + ', ' + size(bytes) + (data.all > rows.length ? ', ' + count(data.all - rows.length) + ' more not in this page' : '');
};
const filter = () => {
  const input = $('filter');
  try {
    takes = selector(input.value);
    input.removeAttribute('aria-invalid');
  } catch (error) {
    input.setAttribute('aria-invalid', 'true');
    $('told').textContent = error.message;
    return;
  }
  found = rows.filter(takes);
  shown = STEP;
  render();
};
if (data && $('made')) {
  const table = make('table'), head = make('thead'), top = make('tr');
  table.append(make('caption', 'Tensors; headings sort'));
  top.append(...heads);
  head.append(top);
  table.append(head, body);
  $('made').append(table);
  $('static').remove();
  for (const tool of document.querySelectorAll('#tensors .tools')) tool.hidden = false;
  let waiting = 0;
  $('filter').addEventListener('input', () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
  $('fold').addEventListener('change', () => { shown = STEP; render(); });
  $('more').addEventListener('click', () => { shown += STEP * 5; render(); });
  addEventListener('beforeprint', () => { shown = Math.max(shown, 1000); render(); });
  if (rows.some(row => row.sick)) {
    const column = COLUMNS.find(column => column.name === 'not finite');
    if (column) sort = {column, down: true};
  }
  render();
}

// The treemap: a rectangle is looked at closer by stretching it to the whole.
const map = $('map');
if (map) {
  const [, , WIDE, HIGH] = map.getAttribute('viewBox').split(' ').map(Number);
  const tiles = [...map.querySelectorAll('g[data-d]')].map(group => {
    const rect = group.querySelector('rect'), of = name => +rect.getAttribute(name), title = group.querySelector('title').textContent;
    return {group, rect, title, path: title.split(' · ').slice(0, -3).join(' · '), depth: +group.dataset.d, x: of('x'), y: of('y'), w: of('width'), h: of('height'), inner: [], outer: null};
  });
  const stack = [], root = {x: 0, y: 0, w: WIDE, h: HIGH, depth: 0, path: '', inner: [], outer: null};
  let last = root;
  for (const tile of tiles) {
    while (last.depth >= tile.depth) last = last.outer;
    tile.outer = last;
    last.inner.push(tile);
    tile.name = last.path ? tile.path.slice(last.path.length + 1) : tile.path;
    last = tile;
  }
  let zoomed = root, at = null;
  const crumbs = $('crumbs');
  crumbs.hidden = false;
  const show = () => {
    const z = zoomed, small = innerWidth <= 640, high = small ? 24 : 14, wide = small ? 13 : 7;
    for (const tile of tiles) {
      const x = (tile.x - z.x) / z.w * WIDE, y = (tile.y - z.y) / z.h * HIGH, w = tile.w / z.w * WIDE, h = tile.h / z.h * HIGH;
      const hidden = tile !== z && (x + w <= 0.5 || y + h <= 0.5 || x >= WIDE - 0.5 || y >= HIGH - 0.5);
      tile.group.style.display = hidden ? 'none' : '';
      for (const [name, value] of [['x', x], ['y', y], ['width', Math.max(w, 0)], ['height', Math.max(h, 0)]]) tile.rect.setAttribute(name, value.toFixed(1));
      let text = tile.group.querySelector('text');
      const room = Math.floor((Math.min(w, WIDE) - 6) / wide), label = h < high ? '' : tile.name.length <= room ? tile.name : room < 3 ? '' : tile.name.slice(0, room - 1) + '…';
      if (!text && label) { text = draw('text', {'aria-hidden': 'true'}); tile.group.append(text); }
      if (text) {
        text.textContent = label;
        text.setAttribute('x', (Math.max(x, 0) + 4).toFixed(1));
        text.setAttribute('y', (Math.max(y, 0) + high - 1).toFixed(1));
      }
      tile.group.setAttribute('tabindex', '-1');
    }
    const first = z.inner[0] || tiles[0];
    at = at && at.outer === z ? at : first;
    if (at) at.group.setAttribute('tabindex', '0');
    crumbs.replaceChildren();
    const path = [];
    for (let tile = z; tile; tile = tile.outer) path.unshift(tile);
    path.forEach(tile => {
      const button = make('button', tile === root ? 'all' : tile.name, {type: 'button'});
      if (tile === z) button.setAttribute('aria-current', 'true');
      button.addEventListener('click', () => { zoomed = tile; show(); });
      crumbs.append(button, ' ');
    });
    if (z !== root && $('filter')) {
      const list = make('button', 'list these', {type: 'button'});
      list.addEventListener('click', () => {
        $('filter').value = /[\s'"]/.test(z.path) ? "'" + z.path + "'" : z.path;
        filter();
        $('tensors').scrollIntoView();
      });
      crumbs.append(list);
    }
  };
  // The scope right below the one that is shown.
  const below = tile => { while (tile.outer !== zoomed) { tile = tile.outer; if (!tile) return null; } return tile; };
  const enter = tile => { const scope = below(tile); if (scope && scope.inner.length) { zoomed = scope; at = null; show(); at.group.focus(); } };
  const leave = () => { if (zoomed.outer) { const was = zoomed; zoomed = zoomed.outer; at = was; show(); was.group.focus(); } };
  for (const tile of tiles) {
    tile.group.setAttribute('role', tile.inner.length ? 'button' : 'img');
    tile.group.setAttribute('aria-label', tile.title);
    if (tile.inner.length) tile.group.classList.add('in');
    tile.group.addEventListener('click', () => (below(tile) ? enter(tile) : leave()));
  }
  map.setAttribute('role', 'group');
  map.addEventListener('keydown', event => {
    const inner = zoomed.inner, n = inner.indexOf(at);
    const to = {ArrowRight: n + 1, ArrowDown: n + 1, ArrowLeft: n - 1, ArrowUp: n - 1, Home: 0, End: inner.length - 1}[event.key];
    if (to !== undefined && inner[to]) {
      if (at) at.group.setAttribute('tabindex', '-1');
      at = inner[to];
      at.group.setAttribute('tabindex', '0');
      at.group.focus();
    } else if (event.key === 'Enter' || event.key === ' ') { if (at) enter(at); }
    else if (event.key === 'Escape' || event.key === 'Backspace') leave();
    else return;
    event.preventDefault();
  });
  show();
  addEventListener('resize', show);
}
})();
//]]>
