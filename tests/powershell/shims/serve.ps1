# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the scripts as ansible-core's module_wrapper.ps1 does: a runspace of its own by [PowerShell]::Create(), Stop, arguments
# in $complex_args, the script from its text (or, constrained, from its file). One JSON request a line in, one answer a line out.
# A request: script, arguments, language; and for a server of the lab: state, root (see cmdlets.ps1, which is loaded then).
$ErrorActionPreference = 'Stop'

function ConvertTo-Argument($value) {
    if ($value -is [System.Collections.IDictionary]) {
        $table = @{}
        foreach ($key in @($value.get_Keys())) { $table[$key] = ConvertTo-Argument $value[$key] }
        return $table
    }
    if ($value -is [array]) { return , @($value | ForEach-Object { ConvertTo-Argument $_ }) }
    $value
}

function Invoke-Request($request) {
    $ps = [powershell]::Create()
    try {
        $ps.Runspace.SessionStateProxy.SetVariable('ErrorActionPreference', 'Stop')
        $given = ConvertTo-Argument $request['arguments']
        $null = $ps.AddCommand('Set-Variable').AddParameters(@{ Name = 'complex_args'; Value = $given; Scope = 'Global' }).AddStatement()
        if ($request['state']) {
            $env:ODJ_SHIM_STATE = $request['state']
            $env:ODJ_SHIM_ROOT = $request['root']
            $null = $ps.AddScript(". '$PSScriptRoot/cmdlets.ps1'").AddStatement()
        }
        if ($request['language'] -eq 'ConstrainedLanguage') {
            $null = $ps.AddScript("`$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'").AddStatement()
            $null = $ps.AddCommand($request['script'], $false).AddStatement()
        }
        else {
            # Type names of a text are resolved before any of it runs: the script is a block of its own, made after the shims.
            $text = [System.IO.File]::ReadAllText($request['script'])
            $null = $ps.AddScript('${function:<OdjModule>} = [System.Management.Automation.Language.Parser]::ParseInput($args[0], $args[1], [ref]$null, [ref]$null).GetScriptBlock()').AddArgument($text).AddArgument($request['script']).AddStatement()
            $null = $ps.AddCommand('<OdjModule>', $false).AddStatement()
        }
        $thrown = $null
        $output = @()
        try { $output = @($ps.Invoke()) } catch { $thrown = "$_" }
        @{
            output = @($output | ForEach-Object { "$_" })
            errors = @(foreach ($record in $ps.Streams.Error) { "$($record.FullyQualifiedErrorId): $record @ $($record.InvocationInfo.PositionMessage)" })
            thrown = $thrown
        }
    }
    finally { $ps.Dispose() }
}

while ($null -ne ($line = [Console]::In.ReadLine())) {
    try { $answer = Invoke-Request (ConvertFrom-Json -InputObject $line -AsHashtable -DateKind String -Depth 100) }
    catch { $answer = @{ output = @(); errors = @(); thrown = "$_ $($_.ScriptStackTrace)" } }
    [Console]::Out.WriteLine((ConvertTo-Json -Depth 5 -Compress -InputObject $answer))
}
