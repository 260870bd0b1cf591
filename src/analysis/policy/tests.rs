//! Policies read, and mistakes in them.

use std::path::Path;

use super::model::{Check, Policy};
use super::{option_rules, settle};
use crate::analysis::finding::{Code, Date, Finding, Level, Severity};

const TODAY: Date = Date { year: 2027, month: 1, day: 31 };

fn parse(text: &str) -> Result<Policy, String> {
    let (file, folder, here) = (Path::new("../ckpt.toml"), Path::new(".."), Path::new("/project/models"));
    Policy::parse(text, file, folder, here, TODAY).map_err(|error| error.to_string())
}

/// A finding after it was settled: its level, or none where it is allowed.
fn settled(text: &str, finding: Finding) -> Option<Severity> {
    let mut findings = vec![finding];
    let policy = parse(text).unwrap();
    settle(&mut findings, Some(&policy), &[], Path::new("given"));
    findings.iter().find(|finding| finding.code != Code::PolicyExpired).map(|finding| finding.severity)
}

fn orphan(file: &str, tensor: &str) -> Finding {
    Finding::new(Code::GraphOrphan, "x").in_file(file).for_tensor(tensor.as_bytes())
}

#[test]
fn the_last_rule_that_is_about_a_finding_holds() {
    let text = "
        [[rule]]
        deny = 'graph-orphan'
        [[rule]]
        allow = ['graph-orphan', 'non-finite']
        tensors = ['old/**', '!**/bias']
        reason = 'known'
        [[rule]]
        warn = 'graph-orphan'
        paths = 'models/drafts'";
    for (file, tensor, want) in [
        ("a.index", "new/w", Some(Severity::Error)),
        ("a.index", "old/w", None),
        ("a.index", "old/bias", Some(Severity::Error)),
        ("drafts/a.index", "old/w", Some(Severity::Warning)),
        ("../models/./drafts/x/../a.index", "old/w", Some(Severity::Warning)),
        ("../drafts/a.index", "old/w", None),
    ] {
        assert_eq!(settled(text, orphan(file, tensor)), want, "{file} {tensor}");
    }
    // A finding about no tensor is not one about these; one about several is, if all of them are meant.
    assert_eq!(settled(text, Finding::new(Code::NonFinite, "x")), Some(Severity::Error));
    let several = |names: [&str; 2]| {
        let explains = names.map(|name| name.as_bytes().to_vec()).to_vec();
        Finding { explains, ..Finding::new(Code::NonFinite, "x") }
    };
    assert_eq!(settled(text, several(["old/a", "new/b"])), Some(Severity::Error));
    assert_eq!(settled(text, several(["old/a", "old/b"])), None);
    assert_eq!(settled(text, Finding::new(Code::BadFile, "x")), Some(Severity::Error));
}

#[test]
fn rules_hold_on_their_last_day_and_no_longer() {
    let text = |until| format!("[[rule]]\nallow = 'graph-orphan'\nreason = 'r'\nuntil = {until}");
    assert_eq!(settled(&text("2027-01-31"), orphan("a", "w")), None);
    assert_eq!(settled(&text("2027-01-30"), orphan("a", "w")), Some(Severity::Warning));
    let mut findings = Vec::new();
    settle(&mut findings, Some(&parse(&text("2026-12-31")).unwrap()), &[], Path::new(""));
    let [expired] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!((expired.code, expired.severity), (Code::PolicyExpired, Severity::Warning));
    let message =
        "../ckpt.toml:1: the rule to allow graph-orphan held until 2026-12-31 and holds no more; its reason was: r";
    assert_eq!(expired.message, message);
}

#[test]
fn options_stand_above_the_policy_and_nothing_vanishes() {
    let policy = parse("[[rule]]\nallow = 'graph-orphan'\nreason = 'r'").unwrap();
    let run = |options: &[_]| {
        let mut findings = vec![orphan("a", "w"), Finding::new(Code::StepDisagrees, "x")];
        let allowed = settle(&mut findings, Some(&policy), options, Path::new(""));
        assert_eq!(findings.len() + allowed.len(), 2);
        assert!(
            allowed.iter().all(|finding| finding.ruling.as_ref().is_some_and(|ruling| ruling.level == Level::Allow))
        );
        findings.iter().map(|finding| (finding.severity, finding.own_severity())).collect::<Vec<_>>()
    };
    let (note, warning) = (Severity::Note, Severity::Warning);
    assert_eq!(run(&[]), [(note, note)]);
    assert_eq!(run(&option_rules(&[], &[], &[Code::GraphOrphan])), [(Severity::Error, warning), (note, note)]);
    assert_eq!(run(&option_rules(&[Code::StepDisagrees], &[Code::StepDisagrees], &[])), [(warning, note)]);
}

#[test]
fn lists_are_expected_one_by_one() {
    let text = "
        [expect]
        present = ['a', 'b/**', '!b/x', 'dtype:float32']
        absent = ['role:slot', '**/Adam*']
        max-bytes = '1.5 MiB'
        max-parameters = 0x10
        dtypes = ['bfloat16', 'f32']";
    let policy = parse(text).unwrap();
    let [expect] = policy.expects.as_slice() else { panic!() };
    let told: Vec<String> = expect
        .checks
        .iter()
        .map(|(check, line)| match check {
            Check::Present(text, _) | Check::Absent(text, _) => format!("{line} {} {text}", check.name()),
            Check::MaxBytes(most) | Check::MaxParameters(most) => format!("{line} {} {most}", check.name()),
            Check::DTypes(dtypes) => format!("{line} {} {}", check.name(), dtypes.len()),
            Check::Frozen(..) | Check::Changed(..) => panic!(),
        })
        .collect();
    let want = [
        "3 present a !b/x",
        "3 present b/** !b/x",
        "3 present dtype:float32 !b/x",
        "4 absent role:slot",
        "4 absent **/Adam*",
        "5 max-bytes 1572864",
        "6 max-parameters 16",
        "7 dtypes 2",
    ];
    assert_eq!(told, want);
    let several = parse("[[expect]]\nabsent='a'\npaths='x/*'\n[[expect]]\nabsent='b'").unwrap();
    assert_eq!(several.expects_of(&[Path::new("../x/model-7")]).len(), 2);
    assert_eq!(several.expects_of(&[Path::new("../y")]).len(), 1);
}

#[test]
fn a_mistake_has_its_line_its_column_and_what_was_meant() {
    for (text, want) in [
        ("[rules]", "1:2: unknown key of the file \"rules\"; did you mean rule?"),
        ("[[rule]]\nalow = 'x'", "2:1: unknown key of a rule \"alow\"; did you mean allow?"),
        (
            "\n[[rule]]\n  deny = [\n'non-finite', 'non-finit']",
            "4:15: unknown code \"non-finit\"; did you mean non-finite?",
        ),
        ("[[rule]]\nallow = 'non-finite'", "1:1: a rule that allows something says why: `reason = \"…\"`"),
        (
            "[[rule]]\nallow = 'non-finite'\nreason = ' '",
            "3:10: a rule that allows something says why: `reason = \"…\"`",
        ),
        ("[[rule]]\nreason = 'x'", "1:1: a rule says `allow`, `warn` or `deny`, and which code"),
        (
            "[[rule]]\nwarn = 'bad-file'\ndeny = 'bad-file'",
            "3:1: a rule says one of `allow`, `warn` and `deny`; write two rules",
        ),
        ("[[rule]]\ndeny = true", "2:8: `deny` is a string or an array of strings, not a boolean"),
        ("[[rule]]\ndeny = ['bad-file', 3]", "2:21: `deny` is a string, not an integer"),
        ("[[rule]]\ndeny = []", "2:8: `deny` is empty; leave it out"),
        (
            "[[rule]]\ndeny = 'bad-file'\nuntil = '2027-01-31'",
            "3:9: `until` is a date without quotes, such as 2027-01-31, not a string",
        ),
        (
            "[[rule]]\ndeny = 'bad-file'\nuntil = 2027-01-31T00:00:00Z",
            "3:9: `until` is a date without quotes, such as 2027-01-31, and no time",
        ),
        (
            "[[rule]]\ndeny = 'bad-file'\ntensors = 'role:slott'",
            "3:11: unknown role \"slott\"; one of weight, average, slot, optimizer, counter, string, other",
        ),
        (
            "[[rule]]\ndeny = 'bad-file'\npaths = 'a['",
            "3:9: not a glob of paths: unclosed character class; missing ']'",
        ),
        ("[expect]\ndtypes = 'floot32'", "2:10: unknown dtype \"floot32\"; did you mean float32?"),
        ("[expect]\nmax-bytes = 'much'", "2:13: `max-bytes` is a number of bytes or a size such as \"1.5 GiB\""),
        ("[expect]\nmax-parameters = -1", "2:18: `max-parameters` is a number, 0 or more"),
        ("[expect]\nmax-parameters = '7'", "2:18: `max-parameters` is a number, not a string"),
        ("[expect]\npresent = 'a'\nfozen = 'b'", "3:1: unknown key of an expectation \"fozen\"; did you mean frozen?"),
        ("[expect]\nreason = 'x'", "1:1: an expectation says what is expected: `present`, `max-bytes` and so on"),
        ("expect = 1", "1:1: `expect` is a table, not an integer"),
        ("rule = [1]", "1:9: `rule` is a table, not an integer"),
        ("[[rule]\n", "1:8: unclosed array table, expected `]`"),
        ("'ä' = 'x\n", "1:9: invalid literal string, expected `'`"),
    ] {
        assert_eq!(parse(text).unwrap_err(), format!("../ckpt.toml:{want}"), "{text}");
    }
    assert!(parse("").unwrap().rules.is_empty());
    let many = format!("[expect]\nbase = 'b'\nfrozen = [{}]", "'a',".repeat(65));
    assert!(parse(&many).unwrap_err().contains("3:1: more than 64 expectations"), "{}", parse(&many).unwrap_err());
    // Text that is made to hurt is an error, and no more.
    assert!(parse(&"[".repeat(100_000)).is_err());
    assert!(parse(&format!("a = {}", "[".repeat(100_000))).is_err());
    assert!(parse("\u{feff}[[rule]]\ndeny = 'bad-file'").is_ok(), "a byte order mark");
}
