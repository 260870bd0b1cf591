//! The page in a browser, where one is installed: the script runs under its policy, filters, sorts, folds, zooms, asks for
//! nothing, and says nothing on the console.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::made::{page_of, safetensors};

/// A Chromium: `CKPT_CHROMIUM`, or one of the usual names.
pub(super) fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let given = std::env::var_os("CKPT_CHROMIUM").map(PathBuf::from);
    let found = given
        .into_iter()
        .chain(names.map(PathBuf::from))
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success()));
    if found.is_none() {
        let said = "skipped: no Chromium is installed; CKPT_CHROMIUM says where one is\n";
        std::io::stderr().write_all(said.as_bytes()).unwrap();
    }
    found
}

/// What stands around the page, and does what somebody would do who looks at it.
const DRIVER: &str = r#"<!DOCTYPE html><meta charset="utf-8"><iframe id="page" width="1200" height="900" src="page.html"></iframe><pre id="out"></pre><script>
const out = {}, wait = ms => new Promise(done => setTimeout(done, ms));
onload = async () => {
  try {
    const page = document.getElementById('page').contentWindow, doc = page.document, $ = id => doc.getElementById(id);
    out.policy = [];
    doc.addEventListener('securitypolicyviolation', event => out.policy.push(event.violatedDirective + ' ' + event.blockedURI));
    const rows = () => [...doc.querySelectorAll('#made tbody tr')].map(row => row.querySelector('th').textContent);
    const filter = async text => { $('filter').value = text; $('filter').dispatchEvent(new page.Event('input')); await wait(300); return [$('told').textContent, rows().slice(0, 3)]; };
    out.first = rows().slice(0, 2);
    out.isStaticGone = $('static') === null;
    out.curves = doc.querySelectorAll('#made tbody tr:first-child svg path').length;
    const heads = [...doc.querySelectorAll('#made thead button')];
    const head = name => heads.find(head => head.textContent.startsWith(name));
    head('size').click();
    out.bySize = [rows()[0], doc.querySelector('[aria-sort]').getAttribute('aria-sort')];
    head('name').click();
    out.byName = [rows()[0], doc.querySelector('[aria-sort]').getAttribute('aria-sort')];
    out.filtered = {};
    for (const text of ['layer_3', '**/kernel_1?', 'size:>1K', '!layer_3 rank:1', 'role:slot', 'dtype:f32 **/kernel_20{0,1}', 'role:nothing'])
      out.filtered[text] = await filter(text);
    await filter('');
    $('fold').value = '1';
    $('fold').dispatchEvent(new page.Event('change'));
    out.folded = rows().slice(0, 2);
    doc.querySelector('#made tbody button').click();
    out.opened = rows().length;
    const group = doc.querySelector('#map g.in');
    group.dispatchEvent(new page.MouseEvent('click', {bubbles: true}));
    out.zoomed = $('crumbs').textContent;
    const key = name => doc.activeElement.dispatchEvent(new page.KeyboardEvent('keydown', {key: name, bubbles: true}));
    key('ArrowRight');
    out.focus = doc.activeElement.querySelector('title').textContent;
    key('Escape');
    out.back = $('crumbs').textContent;
    out.requests = page.performance.getEntriesByType('resource').map(entry => entry.name);
    out.overflow = doc.documentElement.scrollWidth - page.innerWidth;
    document.getElementById('page').width = 390;
    await wait(200);
    out.overflowOfPhone = doc.documentElement.scrollWidth - page.innerWidth;
  } catch (error) { out.error = String(error.stack); }
  document.getElementById('out').textContent = JSON.stringify(out);
};
</script>"#;

/// How it is run: without a window, and so that the driver may look into the page that it shows; both lie on the disk.
pub(super) const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-web-security",
    "--allow-file-access-from-files",
    "--disable-site-isolation-trials",
    "--disable-background-networking",
    "--enable-logging=stderr",
    "--virtual-time-budget=20000",
];

/// What a driver found out, and what was written to the console.
pub(super) struct Told {
    pub(super) found: Value,
    pub(super) console: Vec<String>,
}

/// Lets a driver look at the page beside it, `page.html`.
pub(super) fn dumped(chromium: &Path, dir: &Path, driver: &str, more: &[&str]) -> Told {
    std::fs::write(dir.join("driver.html"), driver).unwrap();
    let profile = format!("--user-data-dir={}", dir.join("profile").display());
    let output = Command::new(chromium)
        .args(FLAGS)
        .args(more)
        .args(["--dump-dom", &profile])
        .arg(format!("file://{}", dir.join("driver.html").display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let at = dom.find("<pre id=\"out\">").unwrap_or_else(|| panic!("{dom}\n{said}")) + "<pre id=\"out\">".len();
    let json = dom[at..].split("</pre>").next().unwrap();
    let json = json.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let console = said.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    Told { found: serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}\n{said}")), console }
}

#[test]
fn the_table_and_the_treemap_work_in_a_browser() {
    let Some(chromium) = chromium() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("m.safetensors");
    let name = |n: usize| match n {
        0..200 => format!("layer_{}/kernel_{n}", n / 50),
        _ => format!("head/<i>kernel_{n}"),
    };
    safetensors(&file, 202, 24, name, 0.0);
    assert_eq!(page_of(&file, &dir.path().join("page.html"), &["--stats"]).status, 1);
    let Told { found, console } = dumped(&chromium, dir.path(), DRIVER, &[]);
    assert!(found["error"].is_null(), "{found}");
    assert_eq!(console, Vec::<String>::new());
    assert_eq!(found["policy"], serde_json::json!([]));
    assert_eq!(found["requests"], serde_json::json!([]), "nothing is loaded");
    assert_eq!(found["isStaticGone"], true);
    assert_eq!(found["first"][0], "head/<i>kernel_201", "the one with NaN is first");
    assert_eq!(found["curves"], 2, "a histogram and a curve along the first axis");
    assert_eq!(found["bySize"], serde_json::json!(["layer_0/kernel_7", "descending"]));
    assert_eq!(found["byName"], serde_json::json!(["head/<i>kernel_200", "ascending"]));
    let told = |text: &str| found["filtered"][text][0].as_str().unwrap().split(" of ").next().unwrap().to_owned();
    assert_eq!(told("layer_3"), "50");
    assert_eq!(told("**/kernel_1?"), "10");
    assert_eq!(told("size:>1K"), "1");
    assert_eq!(told("!layer_3 rank:1"), "152");
    assert_eq!(told("role:slot"), "0");
    // `*` and what it stands for stop at a slash, but not within a component.
    assert_eq!(told("dtype:f32 **/kernel_20{0,1}"), "0");
    assert_eq!(told("role:nothing"), "unknown role nothing");
    assert_eq!(found["folded"], serde_json::json!(["▸ head/", "▸ layer_0/"]));
    assert_eq!(found["opened"], 5 + 2);
    assert!(found["zoomed"].as_str().unwrap().starts_with("all layer_"), "{found}");
    assert_eq!(found["back"], "all ");
    assert!(found["focus"].as_str().unwrap().starts_with("layer_"), "{found}");
    assert!(found["overflow"].as_i64().unwrap() <= 0 && found["overflowOfPhone"].as_i64().unwrap() <= 0, "{found}");
}
