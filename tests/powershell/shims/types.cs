// SPDX-License-Identifier: GPL-3.0-or-later
// What Windows' .NET hands to the two scripts, over the lab's state.json. Loaded by shims.ps1, which also makes PowerShell
// resolve the names of the real types to these (see $accelerate there). Names of classes and properties are those of Windows.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using System.Threading;
using System.Xml;
using System.Xml.XPath;
using Microsoft.Win32;

namespace OdjShim
{
    public static class World
    {
        public static IDictionary State = new Hashtable();
        public static string Root = "odj-shim-root";
        public static readonly List<string> ReplaceFaults = new List<string>();
        static readonly Dictionary<string, FileAttributes> attributes = new Dictionary<string, FileAttributes>(StringComparer.OrdinalIgnoreCase);

        public static object Get(IDictionary table, string name)
        {
            if (table == null) return null;
            foreach (DictionaryEntry entry in table)
                if (string.Equals((string)entry.Key, name, StringComparison.OrdinalIgnoreCase)) return entry.Value;
            return null;
        }

        public static IDictionary Table(string name) { return Get(State, name) as IDictionary ?? new Hashtable(); }

        public static string Text(IDictionary table, string name) { var v = Get(table, name); return v == null ? null : Convert.ToString(v, CultureInfo.InvariantCulture); }

        public static bool Flag(IDictionary table, string name) { var v = Get(table, name); return v is bool && (bool)v; }

        public static IEnumerable<object> List(object value)
        {
            if (value == null || value is string) yield break;
            foreach (var item in (IEnumerable)value) yield return item;
        }

        public static bool Listed(string table, string path)
        {
            return List(Get(State, table)).Any(one => string.Equals(Normal((string)one), Normal(path), StringComparison.OrdinalIgnoreCase));
        }

        public static DateTime Time(string text) { return DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind); }

        public static string Normal(string path)
        {
            var parts = new List<string>();
            foreach (var part in path.Replace('/', '\\').Split('\\'))
            {
                if (part == "" && parts.Count > 0 || part == ".") continue;
                if (part == ".." && parts.Count > 1) { parts.RemoveAt(parts.Count - 1); continue; }
                parts.Add(part);
            }
            var text = string.Join("\\", parts);
            return text.Length == 2 && text[1] == ':' ? text + "\\" : text;
        }

        public static bool IsWindowsPath(string path) { return Regex.IsMatch(path, @"^[A-Za-z]:[\\/]"); }

        // C:\Some\File lies at ROOT/c/some/file; anything else is a real path that may have backslashes in it.
        public static string Map(string path)
        {
            if (!IsWindowsPath(path)) return path.Replace('\\', '/');
            return Root + "/" + Normal(path).Replace(":", "").Replace('\\', '/').ToLowerInvariant();
        }

        public static IDictionary FileRecord(string path)
        {
            var wanted = Normal(path);
            foreach (DictionaryEntry entry in Table("files"))
                if (string.Equals(Normal((string)entry.Key), wanted, StringComparison.OrdinalIgnoreCase)) return (IDictionary)entry.Value;
            return null;
        }

        public static string FileKey(string path)
        {
            var wanted = Normal(path);
            foreach (DictionaryEntry entry in Table("files"))
                if (string.Equals(Normal((string)entry.Key), wanted, StringComparison.OrdinalIgnoreCase)) return Normal((string)entry.Key);
            return null;
        }

        public static IEnumerable<string> AllPaths()
        {
            foreach (DictionaryEntry entry in Table("files")) yield return Normal((string)entry.Key);
            foreach (var one in List(Get(State, "directories"))) yield return Normal((string)one);
        }

        public static bool IsDirectory(string path)
        {
            var wanted = Normal(path);
            var below = wanted.TrimEnd('\\') + "\\";
            return List(Get(State, "directories")).Any(one => string.Equals(Normal((string)one), wanted, StringComparison.OrdinalIgnoreCase))
                || AllPaths().Any(one => one.StartsWith(below, StringComparison.OrdinalIgnoreCase));
        }

        // Names right below a directory: true for directories.
        public static SortedDictionary<string, bool> Children(string path)
        {
            var below = Normal(path).TrimEnd('\\') + "\\";
            var found = new SortedDictionary<string, bool>(StringComparer.OrdinalIgnoreCase);
            foreach (var one in AllPaths())
            {
                if (!one.StartsWith(below, StringComparison.OrdinalIgnoreCase)) continue;
                var rest = one.Substring(below.Length);
                if (rest == "") continue;
                var name = rest.Split('\\')[0];
                bool directory = rest.Contains("\\") || FileKey(one) == null;
                bool known;
                found[name] = found.TryGetValue(name, out known) ? known || directory : directory;
            }
            return found;
        }

        public static FileAttributes AttributesOf(string path)
        {
            FileAttributes kept;
            if (attributes.TryGetValue(Normal(path), out kept)) return kept;
            var record = FileRecord(path);
            if (record == null) return IsDirectory(path) ? FileAttributes.Directory : FileAttributes.Archive;
            return (FileAttributes)Enum.Parse(typeof(FileAttributes), Text(record, "attributes") ?? "Archive");
        }

        public static void SetAttributes(string path, FileAttributes value) { attributes[Normal(path)] = value; }
    }

    // ---- registry

    public sealed class RegistryKey
    {
        readonly string path;
        readonly bool view32;

        RegistryKey(string path, bool view32) { this.path = path; this.view32 = view32; }

        public string Name { get { return path; } }

        public static RegistryKey OpenBaseKey(RegistryHive hive, RegistryView view)
        {
            return new RegistryKey(hive == RegistryHive.Users ? "HKU" : "HKLM", view == RegistryView.Registry32);
        }

        public RegistryKey OpenSubKey(string name)
        {
            var full = Redirected(path + "\\" + name.Trim('\\'), view32);
            if (World.Listed("denied_keys", full)) throw new SecurityException("Requested registry access is not allowed.");
            return Exists(full) ? new RegistryKey(full, view32) : null;
        }

        public static string Redirected(string key, bool view32)
        {
            const string split = "HKLM\\SOFTWARE\\";
            if (!view32 || !key.StartsWith(split, StringComparison.OrdinalIgnoreCase)) return key;
            var rest = key.Substring(split.Length);
            if (Regex.IsMatch(rest, @"^WOW6432Node(\\|$)", RegexOptions.IgnoreCase)) return key;
            return split + "WOW6432Node\\" + rest;
        }

        public static bool Exists(string key)
        {
            foreach (DictionaryEntry entry in World.Table("registry"))
            {
                var known = (string)entry.Key;
                if (string.Equals(known, key, StringComparison.OrdinalIgnoreCase) || known.StartsWith(key + "\\", StringComparison.OrdinalIgnoreCase)) return true;
            }
            return false;
        }

        public static IDictionary ValuesOf(string key)
        {
            var record = World.Get(World.Table("registry"), key) as IDictionary;
            return World.Get(record, "values") as IDictionary ?? new Hashtable();
        }

        public static object DataOf(IDictionary value)
        {
            var data = World.Get(value, "data");
            switch (World.Text(value, "kind"))
            {
                case "DWord": return unchecked((int)(uint)(Convert.ToInt64(data, CultureInfo.InvariantCulture) & 0xFFFFFFFFL));
                case "QWord": return Convert.ToInt64(data, CultureInfo.InvariantCulture);
                case "MultiString": return World.List(data).Select(one => (string)one).ToArray();
                case "Binary":
                case "None":
                case "Unknown": return data == null ? new byte[0] : Convert.FromBase64String((string)data);
                default: return (string)data;
            }
        }

        public static string[] SubKeysOf(string key)
        {
            var below = key + "\\";
            var found = new SortedSet<string>(StringComparer.OrdinalIgnoreCase);
            foreach (DictionaryEntry entry in World.Table("registry"))
            {
                var known = (string)entry.Key;
                if (known.StartsWith(below, StringComparison.OrdinalIgnoreCase)) found.Add(known.Substring(below.Length).Split('\\')[0]);
            }
            return found.ToArray();
        }

        public string[] GetSubKeyNames() { return SubKeysOf(path); }

        public string[] GetValueNames()
        {
            var names = new List<string>();
            foreach (DictionaryEntry entry in ValuesOf(path)) names.Add((string)entry.Key == "(default)" ? "" : (string)entry.Key);
            return names.ToArray();
        }

        IDictionary Value(string name) { return World.Get(ValuesOf(path), string.IsNullOrEmpty(name) ? "(default)" : name) as IDictionary; }

        public object GetValue(string name) { return GetValue(name, null, RegistryValueOptions.None); }

        public object GetValue(string name, object defaultValue) { return GetValue(name, defaultValue, RegistryValueOptions.None); }

        public object GetValue(string name, object defaultValue, RegistryValueOptions options)
        {
            var value = Value(name);
            if (value == null) return defaultValue;
            var data = DataOf(value);
            if (World.Text(value, "kind") == "ExpandString" && options == RegistryValueOptions.None) return Expand((string)data);
            return data;
        }

        public static string Expand(string text)
        {
            return Regex.Replace(text, "%([^%]+)%", m => Environment.GetEnvironmentVariable("ODJ_SHIM_ENV_" + m.Groups[1].Value.ToUpperInvariant()) ?? m.Value);
        }

        public RegistryValueKind GetValueKind(string name)
        {
            var value = Value(name);
            if (value == null) throw new IOException("The specified registry key does not exist.", unchecked((int)0x80070002));
            return (RegistryValueKind)Enum.Parse(typeof(RegistryValueKind), World.Text(value, "kind"));
        }

        public void Close() { }
        public void Dispose() { }
    }

    // ---- files

    public class FileStream : System.IO.FileStream
    {
        public FileStream(string path, FileMode mode, FileAccess access, FileShare share) : base(World.Map(path), mode, access, share) { }
    }

    public static class File
    {
        static void Check(string path)
        {
            if (World.Listed("denied_paths", path)) throw new UnauthorizedAccessException("Access to the path '" + path + "' is denied.");
            if (World.Listed("locked_paths", path))
                throw new IOException("The process cannot access the file '" + path + "' because it is being used by another process.", unchecked((int)0x80070020));
        }

        public static System.IO.FileStream Open(string path, FileMode mode, FileAccess access, FileShare share)
        {
            Check(path);
            if (System.IO.Directory.Exists(World.Map(path))) throw new UnauthorizedAccessException("Access to the path '" + path + "' is denied.");
            if (!System.IO.File.Exists(World.Map(path)))
            {
                if (!System.IO.Directory.Exists(System.IO.Path.GetDirectoryName(World.Map(path))))
                    throw new DirectoryNotFoundException("Could not find a part of the path '" + path + "'.");
                throw new FileNotFoundException("Could not find file '" + path + "'.", path);
            }
            return new System.IO.FileStream(World.Map(path), mode, access, share);
        }

        public static bool Exists(string path) { return path != null && System.IO.File.Exists(World.Map(path)); }
        public static void Delete(string path) { System.IO.File.Delete(World.Map(path)); }
        public static void Move(string from, string to) { System.IO.File.Move(World.Map(from), World.Map(to)); }
        public static FileAttributes GetAttributes(string path) { return World.AttributesOf(path); }
        public static void SetAttributes(string path, FileAttributes value) { World.SetAttributes(path, value); }

        // ReplaceFile of Windows: one fault after the other from ODJ_SHIM_REPLACE ("32,ok"), then for real.
        public static void Replace(string source, string target, string backup, bool ignoreMetadataErrors)
        {
            if (backup == "") throw new ArgumentException("The path is empty.", "destinationBackupFileName");
            Check(target);
            if (World.ReplaceFaults.Count > 0)
            {
                var fault = World.ReplaceFaults[0];
                World.ReplaceFaults.RemoveAt(0);
                if (fault == "5") throw new UnauthorizedAccessException("Access to the path is denied.");
                if (fault == "1177") System.IO.File.Move(World.Map(target), World.Map(backup));
                if (fault == "1177gone") { System.IO.File.Move(World.Map(target), World.Map(backup) + ".gone"); fault = "1177"; }
                if (fault != "ok") throw new IOException("Replacing failed with code " + fault + ".", unchecked((int)(0x80070000u | uint.Parse(fault))));
            }
            if ((World.AttributesOf(target) & FileAttributes.ReadOnly) != 0) throw new UnauthorizedAccessException("Access to the path is denied.");
            if (!System.IO.File.Exists(World.Map(target))) throw new FileNotFoundException("Unable to find the specified file.");
            System.IO.File.Replace(World.Map(source), World.Map(target), backup == null ? null : World.Map(backup));
        }
    }

    public static class Path
    {
        public static string GetDirectoryName(string path)
        {
            if (!World.IsWindowsPath(path)) return System.IO.Path.GetDirectoryName(path.Replace('\\', '/'));
            var text = path.Replace('/', '\\');
            var at = text.LastIndexOf('\\');
            return at == 2 ? text.Substring(0, 3) : text.Substring(0, at);
        }

        public static string Combine(string folder, string name)
        {
            if (!World.IsWindowsPath(folder)) return System.IO.Path.Combine(folder, name);
            return folder.TrimEnd('\\') + "\\" + name;
        }
    }

    public class FileVersionInfo
    {
        public int FileMajorPart { get; set; }
        public int FileMinorPart { get; set; }
        public int FileBuildPart { get; set; }
        public int FilePrivatePart { get; set; }
        public int ProductMajorPart { get; set; }
        public int ProductMinorPart { get; set; }
        public int ProductBuildPart { get; set; }
        public int ProductPrivatePart { get; set; }
        public string FileVersion { get; set; }
        public string ProductVersion { get; set; }

        public static FileVersionInfo Of(string file, string product)
        {
            var f = Parts(file);
            var p = Parts(product);
            return new FileVersionInfo
            {
                FileMajorPart = f[0], FileMinorPart = f[1], FileBuildPart = f[2], FilePrivatePart = f[3],
                ProductMajorPart = p[0], ProductMinorPart = p[1], ProductBuildPart = p[2], ProductPrivatePart = p[3],
                FileVersion = file, ProductVersion = product
            };
        }

        static int[] Parts(string text)
        {
            var parts = (text ?? "").Split('.').Select(one => { int n; return int.TryParse(one, out n) ? n : 0; }).ToList();
            while (parts.Count < 4) parts.Add(0);
            return parts.ToArray();
        }
    }

    public class FileInfo
    {
        public string FullName { get; private set; }
        public string Name { get; private set; }
        public long Length { get; private set; }
        public DateTime LastWriteTimeUtc { get; private set; }
        public DateTime LastWriteTime { get { return LastWriteTimeUtc.ToLocalTime(); } }
        public FileAttributes Attributes { get; private set; }
        public FileVersionInfo VersionInfo { get; private set; }
        public bool Exists { get { return true; } }

        public FileInfo(string path)
        {
            var record = World.FileRecord(path);
            FullName = World.FileKey(path);
            Name = FullName.Substring(FullName.LastIndexOf('\\') + 1);
            var real = World.Map(path);
            Length = System.IO.File.Exists(real) ? new System.IO.FileInfo(real).Length : Convert.FromBase64String(World.Text(record, "content") ?? "").Length;
            LastWriteTimeUtc = World.Time(World.Text(record, "last_write"));
            Attributes = World.AttributesOf(path);
            VersionInfo = FileVersionInfo.Of(World.Text(record, "file_version"), World.Text(record, "product_version"));
        }

        public override string ToString() { return FullName; }
    }

    // As DirectoryInfo of .NET it has no Length.
    public class DirectoryInfo
    {
        public string FullName { get; private set; }
        public string Name { get; private set; }
        public DateTime LastWriteTimeUtc { get; private set; }
        public DateTime LastWriteTime { get { return LastWriteTimeUtc.ToLocalTime(); } }
        public FileAttributes Attributes { get { return FileAttributes.Directory; } }
        public bool Exists { get { return true; } }

        public DirectoryInfo(string path)
        {
            FullName = World.Normal(path);
            Name = FullName.Substring(FullName.TrimEnd('\\').LastIndexOf('\\') + 1);
            var seconds = Convert.ToDouble(World.Get(World.State, "boot_time"), CultureInfo.InvariantCulture);
            LastWriteTimeUtc = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddTicks((long)(seconds * 10000000));
        }

        public override string ToString() { return FullName; }
    }

    // ---- CIM

    public class CimException : Exception
    {
        public CimException(string message, long code) : base(message) { NativeErrorCode = (int)(code & 0xFFFF); StatusCode = unchecked((uint)code); }
        public int NativeErrorCode { get; private set; }
        public uint StatusCode { get; private set; }
    }

    // WHERE of WQL: comparisons with = <> != < > <= >= LIKE and IS (NOT) NULL, joined by AND, OR and brackets.
    public class Wql
    {
        readonly List<string> tokens = new List<string>();
        readonly IDictionary row;

        Wql(IDictionary row, string text)
        {
            this.row = row;
            var at = 0;
            var token = new Regex(@"\G\s*(?:(?<t>'(?:\\.|[^'\\])*'|""(?:\\.|[^""\\])*""|<>|!=|<=|>=|=|<|>|\(|\)|[\w.-]+))\s*");
            while (at < text.Length)
            {
                var match = token.Match(text, at);
                if (!match.Success) throw new FormatException(text.Substring(at));
                tokens.Add(match.Groups["t"].Value);
                at = match.Index + match.Length;
            }
        }

        public static bool Holds(IDictionary row, string filter)
        {
            if (string.IsNullOrWhiteSpace(filter)) return true;
            var parser = new Wql(row, filter);
            var result = parser.Either();
            if (parser.tokens.Count > 0) throw new FormatException(parser.tokens[0]);
            return result;
        }

        string Take()
        {
            if (tokens.Count == 0) throw new FormatException("the filter ends too early");
            var first = tokens[0];
            tokens.RemoveAt(0);
            return first;
        }

        bool Next(string word)
        {
            if (tokens.Count == 0 || !string.Equals(tokens[0], word, StringComparison.OrdinalIgnoreCase)) return false;
            tokens.RemoveAt(0);
            return true;
        }

        bool Either() { var r = Every(); while (Next("OR")) { var s = Every(); r = r || s; } return r; }
        bool Every() { var r = Single(); while (Next("AND")) { var s = Single(); r = r && s; } return r; }

        bool Single()
        {
            if (Next("NOT")) return !Single();
            if (Next("(")) { var inner = Either(); if (!Next(")")) throw new FormatException("no )"); return inner; }
            var name = Take();
            var known = false;
            foreach (DictionaryEntry entry in row) known = known || string.Equals((string)entry.Key, name, StringComparison.OrdinalIgnoreCase);
            if (!known) throw new FormatException("no property " + name);
            var value = World.Get(row, name);
            var sign = Take().ToUpperInvariant();
            if (sign == "IS") { var not = Next("NOT"); if (!Next("NULL")) throw new FormatException("IS"); return (value == null) != not; }
            var literal = Take();
            var quoted = literal[0] == '\'' || literal[0] == '"';
            if (!quoted && !Regex.IsMatch(literal, @"^(-?\d+(\.\d+)?|TRUE|FALSE)$", RegexOptions.IgnoreCase)) throw new FormatException(literal);
            var wanted = quoted ? Regex.Replace(literal.Substring(1, literal.Length - 2), @"\\(.)", "$1") : literal;
            if (sign == "LIKE")
            {
                var pattern = "^" + string.Concat(wanted.Select(c => c == '%' ? ".*" : c == '_' ? "." : Regex.Escape(c.ToString()))) + "$";
                return Regex.IsMatch(Convert.ToString(value, CultureInfo.InvariantCulture), pattern, RegexOptions.IgnoreCase | RegexOptions.Singleline);
            }
            int order;
            if (value is bool) order = ((bool)value).CompareTo(wanted == "1" || wanted.Equals("true", StringComparison.OrdinalIgnoreCase));
            else if (value is long || value is int || value is uint || value is ushort || value is ulong || value is double)
            {
                double number;
                if (!double.TryParse(wanted, NumberStyles.Any, CultureInfo.InvariantCulture, out number)) throw new FormatException(wanted);
                order = Convert.ToDouble(value, CultureInfo.InvariantCulture).CompareTo(number);
            }
            else if (value == null) return false;
            else order = string.Compare(Convert.ToString(value, CultureInfo.InvariantCulture), wanted, StringComparison.OrdinalIgnoreCase);
            switch (sign)
            {
                case "=": return order == 0;
                case "<>":
                case "!=": return order != 0;
                case "<": return order < 0;
                case ">": return order > 0;
                case "<=": return order <= 0;
                case ">=": return order >= 0;
                default: throw new FormatException(sign);
            }
        }
    }

    // ---- event log

    public class EventLogException : Exception
    {
        public EventLogException(string message, int code) : base(message) { HResult = unchecked((int)(0x80070000u | (uint)code)); }
    }

    public class SidOfUser
    {
        public SidOfUser(string value) { Value = value; }
        public string Value { get; private set; }
        public override string ToString() { return Value; }
    }

    public class EventProperty
    {
        public EventProperty(object value) { Value = value; }
        public object Value { get; private set; }
    }

    public class EventLogRecord
    {
        public int Id { get; set; }
        public byte? Level { get; set; }
        public DateTime? TimeCreated { get; set; }
        public long? RecordId { get; set; }
        public string ProviderName { get; set; }
        public Guid? ProviderId { get; set; }
        public SidOfUser UserId { get; set; }
        public string LogName { get; set; }
        public int? ProcessId { get; set; }
        public bool BrokenProperties { get; set; }
        readonly List<EventProperty> properties = new List<EventProperty>();
        public IList<EventProperty> Properties
        {
            get { if (BrokenProperties) throw new EventLogException("The data is invalid", 13); return properties; }
        }
        public void Add(object value) { properties.Add(new EventProperty(value)); }
    }

    public static class EventQuery
    {
        public static bool Matches(IDictionary row, string channel, string query, double now)
        {
            query = query.Trim();
            if (!Regex.IsMatch(query, @"^(\*|Event)(\[|/|$)") || Regex.IsMatch(query, @"contains\s*\(|starts-with\s*\(|\$"))
                throw new EventLogException("The specified query is invalid", 15001);
            var document = new XmlDocument();
            var root = document.CreateElement("Event");
            document.AppendChild(root);
            var system = Add(root, "System", null);
            Add(system, "Provider", null).SetAttribute("Name", World.Text(row, "provider") ?? "");
            Add(system, "EventID", World.Text(row, "id"));
            Add(system, "Level", World.Text(row, "level") ?? "0");
            var time = Add(system, "TimeCreated", null);
            var moment = World.Time(World.Text(row, "time")).ToUniversalTime();
            var seconds = (moment - new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc)).TotalSeconds;
            time.SetAttribute("SystemTime", World.Text(row, "time"));
            time.SetAttribute("Age", ((now - seconds) * 1000).ToString("F0", CultureInfo.InvariantCulture));
            time.SetAttribute("Ticks", moment.Ticks.ToString(CultureInfo.InvariantCulture));
            Add(system, "EventRecordID", World.Text(row, "record_id"));
            Add(system, "Channel", channel);
            Add(system, "Security", null).SetAttribute("UserID", World.Text(row, "user_sid") ?? "");
            var data = Add(root, "EventData", null);
            foreach (var one in World.List(World.Get(row, "properties"))) Add(data, "Data", Convert.ToString(one, CultureInfo.InvariantCulture));
            // timediff() and the comparison of times are Windows' own; both become numbers.
            query = Regex.Replace(query, @"timediff\s*\(\s*@SystemTime\s*\)", "@Age");
            query = Regex.Replace(query, @"@SystemTime\s*(<=|>=|<|>|!=|=)\s*(['""])([^'""]+)\2",
                m => "@Ticks " + m.Groups[1].Value + " " + World.Time(m.Groups[3].Value).ToUniversalTime().Ticks.ToString(CultureInfo.InvariantCulture));
            try { return (bool)document.CreateNavigator().Evaluate("boolean(/" + query + ")"); }
            catch (XPathException) { throw new EventLogException("The specified query is invalid", 15001); }
        }

        static XmlElement Add(XmlElement parent, string name, string text)
        {
            var element = parent.OwnerDocument.CreateElement(name);
            if (text != null) element.InnerText = text;
            parent.AppendChild(element);
            return element;
        }
    }

    // ---- certificates: real ones, from "pfx" (password x) or "der" of the state's rows

    public class X509Store
    {
        readonly string name;
        bool open;
        public X509Store(string name, StoreLocation location) { this.name = name; }

        public void Open(OpenFlags flags)
        {
            if (World.Listed("denied_stores", name)) throw new CryptographicException(unchecked((int)0x80070005));
            if (World.Get(World.Table("certificates"), name) == null && (flags & OpenFlags.OpenExistingOnly) != 0)
                throw new CryptographicException(unchecked((int)0x80070002));
            open = true;
        }

        public X509Certificate2Collection Certificates
        {
            get
            {
                var found = new X509Certificate2Collection();
                if (!open) return found;
                foreach (var row in World.List(World.Get(World.Table("certificates"), name))) found.Add(Load((IDictionary)row));
                return found;
            }
        }

        public static X509Certificate2 Load(IDictionary row)
        {
            var pfx = World.Text(row, "pfx");
            if (pfx != null) return new X509Certificate2(Convert.FromBase64String(pfx), "x", X509KeyStorageFlags.Exportable);
            if (World.Text(row, "der") != null) return new X509Certificate2(Convert.FromBase64String(World.Text(row, "der")));
            return Make(row);
        }

        // Rows of the lab tell a certificate's fields alone: one is made of them, once; its thumbprint is its own.
        public static readonly Dictionary<string, X509Certificate2> Made = new Dictionary<string, X509Certificate2>();
        public static string RowOf(X509Certificate2 certificate)
        {
            foreach (var pair in Made) if (pair.Value.Thumbprint == certificate.Thumbprint) return pair.Key;
            return certificate.Thumbprint;
        }
        static readonly RSA key = RSA.Create(2048);
        static X509Certificate2 Make(IDictionary row)
        {
            var name = World.Text(row, "thumbprint") ?? World.Text(row, "subject");
            if (Made.TryGetValue(name, out var known)) return new X509Certificate2(known);
            // Their key is one, so that it costs nothing; the serial number tells them apart.
            var serial = SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name)).Take(8).ToArray();
            serial[0] = (byte)(serial[0] & 0x7F | 1);
            var request = new CertificateRequest(new X500DistinguishedName(World.Text(row, "subject") ?? "CN=x"), key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            var uses = new OidCollection();
            foreach (var use in World.List(World.Get(row, "eku"))) uses.Add(new Oid(use.ToString()));
            if (uses.Count > 0) request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(uses, false));
            Func<string, DateTimeOffset, DateTimeOffset> at = (field, other) => World.Text(row, field) == null ? other : DateTimeOffset.Parse(World.Text(row, field), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
            var made = request.Create(new X500DistinguishedName(World.Text(row, "issuer") ?? "CN=x"), X509SignatureGenerator.CreateForRSA(key, RSASignaturePadding.Pkcs1),
                at("not_before", DateTimeOffset.UtcNow.AddDays(-1)), at("not_after", DateTimeOffset.UtcNow.AddDays(1)), serial);
            if (World.Flag(row, "has_private_key")) made = made.CopyWithPrivateKey(key);
            Made[name] = made;
            return new X509Certificate2(made);
        }

        public void Close() { open = false; }
    }

    public class CngKey { public string UniqueName { get; set; } }
    public class RSACng { public CngKey Key { get; set; } }
    public class CspKeyContainerInfo { public string UniqueKeyContainerName { get; set; } }
    public class RSACryptoServiceProvider { public CspKeyContainerInfo CspKeyContainerInfo { get; set; } }

    public static class RSACertificateExtensions
    {
        public static object GetRSAPrivateKey(X509Certificate2 certificate)
        {
            foreach (DictionaryEntry store in World.Table("certificates"))
                foreach (var item in World.List(store.Value))
                {
                    var row = (IDictionary)item;
                    if (!string.Equals(World.Text(row, "thumbprint"), X509Store.RowOf(certificate), StringComparison.OrdinalIgnoreCase)) continue;
                    if (World.Flag(row, "key_broken")) throw new CryptographicException(unchecked((int)0x80090016));
                    if (World.Flag(row, "key_not_rsa")) return null;
                    var file = World.Text(row, "key_file") ?? "C:\\none\\none";
                    var name = file.Substring(file.LastIndexOf('\\') + 1);
                    if (World.Flag(row, "key_old")) return new RSACryptoServiceProvider { CspKeyContainerInfo = new CspKeyContainerInfo { UniqueKeyContainerName = name } };
                    return new RSACng { Key = new CngKey { UniqueName = name } };
                }
            return null;
        }
    }

    // ---- names

    public class IdentityNotMappedException : Exception
    {
        public IdentityNotMappedException() : base("Some or all identity references could not be translated.") { }
    }

    public class SecurityIdentifier
    {
        public SecurityIdentifier(string value) { Value = value; }
        public string Value { get; private set; }
    }

    public class NTAccount
    {
        readonly string name;
        public NTAccount(string name) { this.name = name; }

        public SecurityIdentifier Translate(Type target)
        {
            var sid = World.Text(World.Table("sids"), name);
            if (sid == null) throw new IdentityNotMappedException();
            return new SecurityIdentifier(sid);
        }
    }

    public sealed class PendingLookup : IAsyncResult
    {
        readonly ManualResetEvent done = new ManualResetEvent(false);
        public IPAddress[] Found;
        public Exception Error;
        public object AsyncState { get { return null; } }
        public WaitHandle AsyncWaitHandle { get { return done; } }
        public bool CompletedSynchronously { get { return false; } }
        public bool IsCompleted { get { return done.WaitOne(0); } }
        public void Finish() { done.Set(); }
    }

    // Used only when the state has "connect_delay_ms": {"127.0.66.1": 40}: loopback has no latency, real networks have.
    public sealed class TcpClient
    {
        readonly System.Net.Sockets.TcpClient real;
        public TcpClient(AddressFamily family) { real = new System.Net.Sockets.TcpClient(family); }

        public IAsyncResult BeginConnect(IPAddress[] addresses, int port, AsyncCallback callback, object state)
        {
            var pending = new PendingLookup();
            var ms = addresses.Max(one => Convert.ToInt32(World.Get(World.Table("connect_delay_ms"), one.ToString()) ?? 0, CultureInfo.InvariantCulture));
            var thread = new Thread(() =>
            {
                Thread.Sleep(ms);
                try { real.Connect(addresses, port); }
                catch (Exception error) { pending.Error = error; }
                pending.Finish();
            });
            thread.IsBackground = true;
            thread.Start();
            return pending;
        }

        public void EndConnect(IAsyncResult result)
        {
            var pending = (PendingLookup)result;
            pending.AsyncWaitHandle.WaitOne();
            if (pending.Error != null) throw pending.Error;
        }

        public NetworkStream GetStream() { return real.GetStream(); }
        public void Close() { real.Close(); }
    }

    // Addresses of the state's "network" ("host:port") and "proxies"; "dns_delay_ms": {host: ms, -1 = never}.
    public static class Dns
    {
        public static IAsyncResult BeginGetHostAddresses(string host, AsyncCallback callback, object state)
        {
            var pending = new PendingLookup();
            IPAddress literal;
            if (IPAddress.TryParse(host, out literal)) { pending.Found = new[] { literal }; pending.Finish(); return pending; }
            IEnumerable<object> addresses = null;
            foreach (var table in new[] { "network", "proxies" })
                foreach (DictionaryEntry entry in World.Table(table))
                {
                    var known = (string)entry.Key;
                    known = known.Substring(known.LastIndexOf('/') + 1);
                    if (addresses == null && string.Equals(known.Substring(0, known.LastIndexOf(':')), host, StringComparison.OrdinalIgnoreCase))
                        addresses = World.List(World.Get((IDictionary)entry.Value, "addresses")).ToList();
                }
            if (addresses == null || !addresses.Any()) pending.Error = new SocketException((int)SocketError.HostNotFound);
            else pending.Found = addresses.Select(one => IPAddress.Parse((string)one)).ToArray();
            var delay = World.Get(World.Table("dns_delay_ms"), host);
            var ms = delay == null ? 0 : Convert.ToInt32(delay, CultureInfo.InvariantCulture);
            if (ms == 0) pending.Finish();
            else if (ms > 0) ThreadPool.QueueUserWorkItem(_ => { Thread.Sleep(ms); pending.Finish(); });
            return pending;
        }

        public static IPAddress[] EndGetHostAddresses(IAsyncResult result)
        {
            var pending = (PendingLookup)result;
            pending.AsyncWaitHandle.WaitOne();
            if (pending.Error != null) throw pending.Error;
            return pending.Found;
        }
    }
}
